import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { findRoute } from './route.ts';
import type { Exchange } from './server.ts';

/** One of Twilio's published OpenAPI documents, as far as it is looked at. */
export interface Specification {
  paths: Record<string, PathItem>;
  components: { schemas: Record<string, Schema> };
}

type PathItem = Partial<Record<'get' | 'post' | 'delete', Operation>>;

interface Operation {
  parameters?: { in: string; name: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

type Schema = { [keyword: string]: unknown };

/** The sound of a recording is described in Twilio's documentation, and in no specification. */
const undescribed = /^\/2010-04-01\/Accounts\/AC\w{32}\/Recordings\/RE\w{32}(\.wav|\.mp3)?$/;

/**
 * Judges exchanges by Twilio's specifications: a path and a method that are there, parameters and fields of the right names
 * and types, and answers that hold what is described and nothing else. Answers what is wrong, one sentence each.
 */
export function contractOf(specifications: readonly Specification[]): (exchange: Exchange) => string[] {
  const contracts = specifications.map((specification) => {
    const routes = Object.keys(specification.paths).flatMap((path) =>
      (['GET', 'POST', 'DELETE'] as const).map((method) => ({ method, path, answer: () => never() })),
    );
    return { specification, routes, judge: judgeOf(specification) };
  });
  return (exchange) => {
    const { method, path } = exchange;
    const said = (problem: string): string => `${method} ${path}: ${problem}`;
    for (const { specification, routes, judge } of contracts) {
      const found = findRoute(routes, method, path);
      const operation = found && specification.paths[found.route.path]?.[verbOf(method)];
      if (found && operation)
        return judge({ exchange, operation, at: `${method} ${found.route.path}`, params: found.params }).map(
          said,
        );
    }
    return method === 'GET' && undescribed.test(path) ? [] : [said('is in no specification')];
  };
}

const verbOf = (method: string): keyof PathItem => method.toLowerCase() as keyof PathItem;

function never(): never {
  throw new Error('a route of a specification answers nothing');
}

interface Case {
  exchange: Exchange;
  operation: Operation;
  /** The operation's name among the compiled schemas. */
  at: string;
  params: Readonly<Record<string, string>>;
}

function judgeOf({ components, paths }: Specification): (one: Case) => string[] {
  const isTrunking = Object.keys(paths).some((path) => path.startsWith('/v1/'));
  const asked = compiler(components.schemas, isTrunking, true);
  const answered = compiler(components.schemas, isTrunking, false);
  return ({ exchange, operation, at, params }) => [
    ...parameterProblems(asked, at, operation, 'path', new URLSearchParams(params)),
    ...parameterProblems(asked, at, operation, 'query', exchange.query),
    ...bodyProblems(asked, at, operation, exchange),
    ...(exchange.misbehaved ? [] : answerProblems(answered, at, operation, exchange)),
  ];
}

type Compiler = (name: string, schema: () => Schema) => ValidateFunction;

/** Compiles each schema once. `areTexts`: every value comes as text, and has to be one of its type. */
function compiler(
  schemas: Readonly<Record<string, Schema>>,
  isTrunking: boolean,
  areTexts: boolean,
): Compiler {
  const ajv = new Ajv({ allErrors: true, coerceTypes: areTexts ? 'array' : false, strictTypes: false });
  formats.default(ajv);
  // Lists of the older API name their pages by paths, against the letter of their own specification.
  if (!isTrunking) ajv.addFormat('uri', /^(https?:\/\/|sips?:|\/)\S+$|^$/);
  ajv.addFormat(
    'date-time-rfc-2822',
    /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}$/,
  );
  ajv.addFormat('phone-number', /^(\+[1-9]\d{1,14}|sip:\S+)$/);
  ajv.addFormat('currency', /^[A-Z]{3}$/);
  ajv.addFormat('http-method', /^(GET|POST)$/);
  for (const name of ['uri-map', 'phone-number-capabilities', 'twiml', 'endpoint', 'ice-server'])
    ajv.addFormat(name, true);
  ajv.addFormat('iso-country-code', /^[A-Z]{2}$/);
  for (const [name, schema] of Object.entries(schemas)) ajv.addSchema(closed(schema), `/${name}`);
  const compiled = new Map<string, ValidateFunction>();
  return (name, schema) => {
    const known = compiled.get(name) ?? ajv.compile(closed(schema()));
    compiled.set(name, known);
    return known;
  };
}

/** A schema of OpenAPI 3.0 as one of JSON Schema that takes no more fields than it describes. */
function closed(value: unknown): Schema {
  const of = value as Schema;
  const properties = of.properties as Record<string, unknown> | undefined;
  const reference = typeof of.$ref === 'string' ? of.$ref.replace('#/components/schemas/', '/') : null;
  if (reference !== null) return { $ref: reference };
  const isNullable = of.nullable === true;
  const kept = ['minLength', 'maxLength', 'pattern', 'format', 'minimum', 'maximum', 'required'];
  return {
    ...Object.fromEntries(kept.flatMap((keyword) => (keyword in of ? [[keyword, of[keyword]]] : []))),
    ...(of.type !== undefined && { type: isNullable ? [of.type, 'null'] : of.type }),
    ...(Array.isArray(of.enum) && { enum: isNullable ? [...of.enum, null] : of.enum }),
    ...(of.items !== undefined && { items: closed(of.items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, closed(one)])),
      additionalProperties: false,
    }),
  };
}

function parameterProblems(
  compile: Compiler,
  at: string,
  { parameters = [] }: Operation,
  where: 'path' | 'query',
  values: URLSearchParams,
): string[] {
  const meant = parameters.filter((parameter) => parameter.in === where);
  const schema = (): Schema => ({
    type: 'object',
    properties: Object.fromEntries(meant.map(({ name, schema: one }) => [name, one])),
    required: meant.filter(({ required }) => required).map(({ name }) => name),
  });
  return problems(compile(`${at} ${where}`, schema), fieldsOf(values), where);
}

function bodyProblems(compile: Compiler, at: string, operation: Operation, exchange: Exchange): string[] {
  const form = 'application/x-www-form-urlencoded';
  const schema = operation.requestBody?.content[form]?.schema;
  if (schema === undefined) return exchange.body === '' ? [] : ['has a body, and takes none'];
  const type = String(exchange.headers['content-type'] ?? '').split(';')[0];
  if (exchange.body !== '' && type !== form) return [`is sent as ${type}`];
  return problems(
    compile(`${at} body`, () => schema),
    fieldsOf(new URLSearchParams(exchange.body)),
    'body',
  );
}

function answerProblems(
  compile: Compiler,
  at: string,
  { responses }: Operation,
  { answer }: Exchange,
): string[] {
  // Refusals are in no specification.
  if (answer === null || answer.status >= 400) return [];
  const response = responses[answer.status];
  if (response === undefined) return [`answers ${answer.status}, which is not described`];
  const schema = response.content?.['application/json']?.schema;
  if (schema === undefined) return answer.body === null ? [] : [`answers ${answer.status} with a body`];
  return problems(
    compile(`${at} ${answer.status}`, () => schema),
    answer.body,
    'answer',
  );
}

/** A name that comes twice is a list. */
const fieldsOf = (values: URLSearchParams): Record<string, unknown> =>
  Object.fromEntries(
    [...new Set(values.keys())].map((name) => {
      const all = values.getAll(name);
      return [name, all.length === 1 ? all[0] : all];
    }),
  );

function problems(validate: ValidateFunction, value: unknown, where: string): string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map((error) => `${where}${error.instancePath} ${sentenceOf(error)}`);
}

const sentenceOf = ({ message, params }: ErrorObject): string =>
  `${message}${'additionalProperty' in params ? `: ${params.additionalProperty}` : ''}`;
