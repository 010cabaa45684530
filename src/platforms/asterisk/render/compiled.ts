import type Handlebars from 'handlebars';
import { SipctlError } from '../../../errors.ts';
import {
  type Catalog,
  optionName,
  type ProviderTemplate,
  type Sections,
  type UserTemplate,
} from '../../../model/template.ts';
import { knownIn } from '../options.ts';
import { type CompiledFile, fromSpecification, partsOf } from './compiled-file.ts';
import {
  type Known,
  type TrunkContext,
  trunkVariables,
  type UserContext,
  userVariables,
} from './contexts.ts';
import { type Intended, intendedBy } from './self-check.ts';
import { type PlainShape, shapesFrom } from './shapes.ts';
import { shapeText, specifications } from './shipped.ts';
import { withSkeletons } from './skeletons.ts';

/** A compiled file of trunks or users, with what each of its blocks has to hold. */
export interface ObjectFile<Context> extends CompiledFile<Context> {
  readonly intended: Intended;
}

/** The templates of a catalog as functions. */
export interface Templates {
  /** Of the Asterisk that they are for. */
  readonly version: string;
  /** @throws SipctlError `invalid` for a template that this version of Asterisk would refuse */
  trunk(template: ProviderTemplate): ObjectFile<TrunkContext>;
  user(template: UserTemplate): ObjectFile<UserContext>;
  index(): CompiledFile<{ path: string }>;
  calls(shape: CallsShape): CompiledFile<CallsBlock>;
}

/** The files that say where calls go. */
export type CallsShape = Exclude<PlainShape, 'index'>;

/** What stands in a block of theirs. */
export interface CallsBlock {
  about: string;
  lines: string;
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

class LazyTemplates implements Templates {
  readonly version: string;
  readonly #compiler: typeof import('./compiler.ts') | null;
  readonly #trunks = new Map<ProviderTemplate, ObjectFile<TrunkContext>>();
  readonly #users = new Map<UserTemplate, ObjectFile<UserContext>>();
  readonly #plain = new Map<PlainShape, CompiledFile<never>>();

  constructor(version: string, compiler: typeof import('./compiler.ts') | null) {
    this.version = version;
    this.#compiler = compiler;
  }

  trunk(template: ProviderTemplate): ObjectFile<TrunkContext> {
    return once(this.#trunks, template, () => this.#open('trunk', template, trunkVariables));
  }

  user(template: UserTemplate): ObjectFile<UserContext> {
    return once(this.#users, template, () => this.#open('user', template, userVariables));
  }

  index(): CompiledFile<{ path: string }> {
    return this.#openPlain('index', 'includes');
  }

  calls(shape: CallsShape): CompiledFile<CallsBlock> {
    return this.#openPlain(shape, 'contexts');
  }

  #openPlain<Context>(shape: PlainShape, each: string): CompiledFile<Context> {
    return once(this.#plain, shape, () => {
      const ready = specifications[shape];
      const template =
        ready === undefined
          ? this.#need().compilePlain(shapesFrom(shapeText), shape)
          : fromSpecification(ready);
      return partsOf(template, each);
    });
  }

  #open<Context extends object>(
    kind: 'trunk' | 'user',
    template: Template,
    known: Known,
  ): ObjectFile<Context> {
    refuseUnknownOptions(template.id, template.asterisk, this.version);
    const { header, block } = partsOf<Context>(this.#compile(kind, template), `${kind}s`);
    return { header, block: withSkeletons(block, known), intended: intendedBy(template.asterisk) };
  }

  #compile(kind: 'trunk' | 'user', template: Template): Handlebars.TemplateDelegate {
    // A template of the user's own may have the name of a shipped one.
    const shipped = template.origin === 'shipped' ? specifications[`${kind} ${template.id}`] : undefined;
    if (shipped !== undefined) return fromSpecification(shipped);
    const source = { kind, id: template.id, sections: template.asterisk };
    return this.#need().compileSource(shapesFrom(shapeText), source);
  }

  #need(): typeof import('./compiler.ts') {
    if (this.#compiler === null) throw new Error('a template that is not in the catalog cannot be rendered');
    return this.#compiler;
  }
}

function once<Key, File>(files: Map<Key, File>, key: Key, open: () => File): File {
  let file = files.get(key);
  if (file === undefined) {
    file = open();
    files.set(key, file);
  }
  return file;
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
