import type { Problem } from '../errors.ts';
import type { Declared } from './declared.ts';
import type { Value } from './field.ts';
import type { Tenant } from './nouns.ts';
import type { Catalog } from './template.ts';

/** A text of a configuration that is there already. */
export interface SourceText {
  /** As it is named in complaints. */
  source: string;
  text: string;
}

/** How texts that are included by others are found. */
export interface SourceFinder {
  /** The texts that a name or a pattern with `*` stands for, seen from the text that names it; empty where there is none. */
  find(pattern: string, from: string): SourceText[];
}

/** What reading a configuration goes by. */
export interface ReadingSettings {
  catalog: Catalog;
  /** Those of the database. */
  tenants: readonly Tenant[];
  /** Who owns what nothing says an owner of. */
  tenant: string;
  /** Dialplan context → tenant. */
  contexts: ReadonlyMap<string, string>;
  /** Object → field → value, over what the configuration says. */
  given: ReadonlyMap<string, Readonly<Record<string, Value>>>;
  /** Variables of the engine’s preprocessor that the configuration does not set. */
  variables: ReadonlyMap<string, string>;
  /** Objects that are passed over. */
  except: ReadonlySet<string>;
  /** Users whose password the configuration does not tell get a new one. */
  generatePasswords: boolean;
  /** Trunks are called as their endpoints are, markers or not. */
  keepNames: boolean;
  /** Where the configuration says nothing, the template's value is taken, and not the engine's. */
  templateDefaults: boolean;
  /** Of the engine that is to run what is rendered. */
  version: string;
}

/** An object that is called otherwise from now on. */
export interface Renaming {
  /** As the engine names its kind: `endpoint`, `gateway`. */
  kind: string;
  from: string;
  to: string;
}

/** What a configuration comes to. */
export interface Reading {
  declared: readonly Declared[];
  /** What keeps an object from being taken over at all. */
  problems: readonly Problem[];
  /** What is taken over, and will not be the same; `not_taken_over`, with its place. */
  differences: readonly Problem[];
  renamings: readonly Renaming[];
  /** What stays in the operator's own files: `transport transport-udp`. */
  left: readonly string[];
}
