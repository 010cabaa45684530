import { type Field, type Noun, titleOf } from '../model/field.ts';
import { tenantSections, topSections } from './sections.ts';

type Schema = { [key: string]: unknown };

/** The JSON Schema (draft 7) of site files, made from the fields of all nouns. */
export function siteSchema(): Schema {
  const definitions = Object.fromEntries(
    [...topSections, ...tenantSections].map(([, noun]) => [noun.name, objectSchema(noun)]),
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'sipctl site file',
    description: 'What sipctl apply -f, diff -f and plan -f read, and sipctl export writes.',
    type: 'object',
    properties: { $schema: { type: 'string' }, ...sections(topSections) },
    patternProperties: { '^x-': { description: 'Notes, and values to repeat by anchors; not read.' } },
    additionalProperties: false,
    definitions,
  };
}

const sections = (all: ReadonlyMap<string, Noun>): Schema =>
  Object.fromEntries([...all].map(([section, noun]) => [section, sectionSchema(noun)]));

const sectionSchema = (noun: Noun): Schema => ({
  description: `${titleOf(noun)}: by ${noun.key}`,
  type: ['object', 'null'],
  additionalProperties: { $ref: `#/definitions/${noun.name}` },
});

function objectSchema(noun: Noun): Schema {
  const fields = Object.entries(noun.fields).map(([name, field]) => [name, fieldSchema(field)]);
  const required = Object.entries(noun.fields)
    .filter(([, field]) => field.required === true && field.kind !== 'secret')
    .map(([name]) => name);
  return {
    description: `One ${titleOf(noun)}. Fields that are not named get their defaults; secrets stay as they are.`,
    type: required.length > 0 ? 'object' : ['object', 'null'],
    properties: {
      ...Object.fromEntries(fields),
      enabled: { description: 'false: it is kept, and not rendered', default: true, ...yesOrNo },
      ...(noun.name === 'tenant' ? sections(tenantSections) : {}),
    },
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  };
}

const yesOrNo: Schema = {
  type: ['boolean', 'string', 'null'],
  enum: [true, false, 'yes', 'no', 'on', 'off', null],
};

const secret: Schema = {
  type: ['string', 'null'],
  pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|cmd:.+|generate:?)$',
};

function fieldSchema(field: Field): Schema {
  const about = {
    description:
      field.kind === 'secret' ? `${field.help}: env:NAME, file:PATH, cmd:COMMAND or generate` : field.help,
    ...(field.initial === undefined ? {} : { default: field.initial }),
  };
  return { ...about, ...shapeOf(field) };
}

function shapeOf(field: Field): Schema {
  const { bounds, choices } = field.rule;
  switch (field.kind) {
    case 'secret':
      return secret;
    case 'boolean':
      return yesOrNo;
    case 'integer':
      return {
        type: ['integer', 'null'],
        ...(bounds === undefined ? {} : { minimum: bounds[0], maximum: bounds[1] }),
      };
    case 'list': {
      const item = choices === undefined ? { type: ['string', 'number'] } : { enum: choices };
      // Pairs may be written as such: 1: user:ann.
      return { anyOf: [{ type: 'array', items: item }, { type: ['string', 'number', 'object', 'null'] }] };
    }
    default:
      return choices === undefined ? { type: ['string', 'number', 'null'] } : { enum: [...choices, null] };
  }
}
