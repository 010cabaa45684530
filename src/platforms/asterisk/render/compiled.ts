import type Handlebars from 'handlebars';
import runtimeModule from 'handlebars/runtime.js';
import { SipctlError } from '../../../errors.ts';
import {
  type Catalog,
  optionName,
  type ProviderTemplate,
  type Sections,
  type UserTemplate,
} from '../../../model/template.ts';
import { knownIn } from '../options.ts';
import type { TrunkContext, UserContext } from './contexts.ts';
import { type Intended, intendedBy } from './self-check.ts';
import { shapesFrom } from './shapes.ts';
import { shapeText, specifications } from './shipped.ts';

// The package declares the runtime as a part of itself, and its types name the whole only.
const runtime = runtimeModule as unknown as typeof Handlebars;

/** A compiled file: what stands at its top, and the text of one object. */
export interface CompiledFile<Context> {
  header(context: { tenant: string }): string;
  block(context: Context): string;
  readonly intended: Intended;
}

/** The templates of a catalog as functions. */
export interface Templates {
  /** @throws SipctlError `invalid` for a template that this version of Asterisk would refuse */
  trunk(template: ProviderTemplate): CompiledFile<TrunkContext>;
  user(template: UserTemplate): CompiledFile<UserContext>;
  index(): CompiledFile<{ path: string }>;
}

/**
 * Gets ready to render with a catalog for a version of Asterisk. A template is compiled when it is first used. The
 * compiler is loaded only where the catalog has a template that was not compiled at the build: one of the user's
 * own, or any at all when sipctl runs from its sources.
 */
export async function loadTemplates(
  catalog: Pick<Catalog, 'providers' | 'users'>,
  version: string,
): Promise<Templates> {
  const all = [...catalog.providers.values(), ...catalog.users.values()];
  const ready = specifications.index !== undefined && all.every(({ origin }) => origin === 'shipped');
  const compiler = ready ? null : await import('./compiler.ts');
  return new LazyTemplates(version, compiler);
}

type Template = ProviderTemplate | UserTemplate;
type Delegate = Handlebars.TemplateDelegate;

class LazyTemplates implements Templates {
  readonly #version: string;
  readonly #compiler: typeof import('./compiler.ts') | null;
  readonly #files = new Map<Template | 'index', CompiledFile<unknown>>();

  constructor(version: string, compiler: typeof import('./compiler.ts') | null) {
    this.#version = version;
    this.#compiler = compiler;
  }

  trunk(template: ProviderTemplate): CompiledFile<TrunkContext> {
    return this.#once(template, 'trunks', () => this.#compile('trunk', template));
  }

  user(template: UserTemplate): CompiledFile<UserContext> {
    return this.#once(template, 'users', () => this.#compile('user', template));
  }

  index(): CompiledFile<{ path: string }> {
    return this.#once('index', 'includes', () => {
      const shipped = specifications.index;
      return shipped === undefined
        ? this.#need().compileIndex(shapesFrom(shapeText))
        : runtime.template(shipped);
    });
  }

  #once(key: Template | 'index', each: string, compile: () => Delegate): CompiledFile<unknown> {
    let file = this.#files.get(key);
    if (file === undefined) {
      file = fileOf(compile(), each, key === 'index' ? [] : intendedBy(key.asterisk));
      this.#files.set(key, file);
    }
    return file;
  }

  #compile(kind: 'trunk' | 'user', template: Template): Delegate {
    refuseUnknownOptions(template.id, template.asterisk, this.#version);
    // A template of the user's own may have the name of a shipped one.
    const shipped = template.origin === 'shipped' ? specifications[`${kind} ${template.id}`] : undefined;
    if (shipped !== undefined) return runtime.template(shipped);
    return this.#need().compileSource(shapesFrom(shapeText), {
      kind,
      id: template.id,
      sections: template.asterisk,
    });
  }

  #need(): typeof import('./compiler.ts') {
    if (this.#compiler === null) throw new Error('a template that is not in the catalog cannot be rendered');
    return this.#compiler;
  }
}

// One unknown option costs the whole object: Asterisk does not load it, and says so in its log only.
function refuseUnknownOptions(id: string, sections: Sections, version: string): void {
  const unknown = Object.entries(sections).flatMap(([type, options]) =>
    Object.keys(options)
      .filter((key) => key !== '$when' && !knownIn(version, type, optionName(key)))
      .map((key) => `${type}.${optionName(key)}`),
  );
  if (unknown.length === 0) return;
  throw new SipctlError(
    'invalid',
    unknown.map((option) => ({
      code: 'unknown_option',
      message: `template '${id}': Asterisk ${version} has no option ${option}`,
      field: option,
      hint: 'take it out of the template, or set --engine-version of the node to the release it runs',
    })),
  );
}

/**
 * The parts of a compiled file. Its block is handed out once, by the helper it stands in, and then called for every
 * object: calling the whole template would set up its environment anew each time, at several times the cost.
 */
function fileOf(template: Delegate, each: string, intended: Intended): CompiledFile<unknown> {
  let block: ((context: unknown) => string) | undefined;
  const helpers = {
    [each]: (options: Handlebars.HelperOptions) => {
      block = options.fn;
      return '';
    },
  };
  const header = (context: unknown): string => template(context, { helpers });
  header({ tenant: '' });
  if (block === undefined) throw new Error(`the shape has no block {{#${each}}}`);
  return { header, block, intended };
}
