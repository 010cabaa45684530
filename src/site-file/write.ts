import { type Noun, snake, type Value } from '../model/field.ts';
import { Secret } from '../model/secret.ts';
import { tenantSections, topSections } from './sections.ts';

/** A stored object, and whose it is. */
export interface WrittenObject {
  noun: Noun;
  tenant: string | null;
  name: string;
  values: Readonly<Record<string, Value>>;
}

/** What stands in a file in the place of secrets: nothing, or the names of variables that hold them. */
export type SecretStyle = 'none' | 'env';

export type Tree = { [key: string]: string | number | boolean | readonly string[] | Tree };

/** Objects as the tree of a site file, in the order in which they come; what has its default is left out. */
export function siteTree(objects: readonly WrittenObject[], secrets: SecretStyle): Tree {
  const tree: Tree = {};
  const used = new Set<string>();
  for (const object of objects) {
    const { noun, tenant, name } = object;
    const parents = tenant === null ? tree : branch(branch(tree, 'tenants'), tenant);
    const section = [...topSections, ...tenantSections].find(
      ([, one]) => one.name === noun.name,
    )?.[0] as string;
    const fields = fieldsOf(object, (field) =>
      secrets === 'env' ? `env:${variableOf(object, field, used)}` : null,
    );
    const target = branch(branch(parents, section), name);
    Object.assign(target, fields);
    // What says nothing of a tenant itself would take nothing back of it.
    if (noun.name === 'tenant' && Object.keys(fields).length === 0) target.enabled = true;
  }
  return tree;
}

function branch(tree: Tree, key: string): Tree {
  // A user may be called `constructor`, which every object of JavaScript has.
  if (!Object.hasOwn(tree, key)) tree[key] = {};
  return tree[key] as Tree;
}

function fieldsOf({ noun, values }: WrittenObject, referenceOf: (field: string) => string | null): Tree {
  const fields: Tree = {};
  for (const [name, { initial }] of Object.entries(noun.fields)) {
    const value = values[name] ?? null;
    if (value === null || same(value, initial ?? null)) continue;
    const written = value instanceof Secret ? referenceOf(name) : value;
    if (written !== null) fields[name] = written;
  }
  if (values.enabled === false) fields.enabled = false;
  return fields;
}

const same = (left: Value, right: Value): boolean =>
  left === right || (Array.isArray(left) && Array.isArray(right) && left.join('\n') === right.join('\n'));

/** `SIPCTL_ACME_USER_ANN_PASSWORD`: a variable of its own for each secret. */
function variableOf({ noun, tenant, name }: WrittenObject, field: string, used: Set<string>): string {
  const words = ['sipctl', ...(tenant === null ? [] : [tenant]), snake(noun.name), name, snake(field)];
  const plain = words.map((text) => text.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()).join('_');
  let variable = plain;
  for (let next = 2; used.has(variable); next++) variable = `${plain}_${next}`;
  used.add(variable);
  return variable;
}
