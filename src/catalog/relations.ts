import type { AuthType } from '../model/template.ts';
import { relatedSchema } from './schema.ts';

/** A complaint about one place of a file. */
export interface Fault {
  path: readonly PropertyKey[];
  message: string;
  hint?: string;
}

type Related = ReturnType<typeof relatedSchema.parse>;

/**
 * What the keys of a provider file say against each other. Silent where one of them is malformed by itself:
 * that complaint is the schema's, and comes together with these.
 */
export function relationFaults(raw: unknown): Fault[] {
  const parsed = relatedSchema.safeParse(raw);
  if (!parsed.success) return [];
  const file = parsed.data;
  return [
    ...portFaults(file),
    ...file.auth_types.flatMap((type) => requiredFieldFaults(file, type)),
    ...strayAuthTypeFaults(file),
    ...registrationFaults(file),
  ];
}

function portFaults(file: Related): Fault[] {
  return file.transports
    .filter((transport) => file.ports[transport] === undefined)
    .map((transport) => ({
      path: ['ports'],
      message: `there is no port for ${transport}`,
      hint: `add ${transport}: to ports, or take it out of transports`,
    }));
}

// A trunk without a host cannot be rendered, so where the carrier gives each customer one it is asked for.
function requiredFieldFaults(file: Related, type: AuthType): Fault[] {
  const required: readonly string[] = file.required_fields[type] ?? [];
  const wanted = type === 'credential' ? ['username', 'password'] : [];
  if (file.hosts.length === 0) wanted.unshift('host');
  const missing = wanted.filter((field) => !required.includes(field));
  if (missing.length === 0) return [];
  const fields = missing.join(', ');
  return [
    {
      path: ['required_fields', type],
      message: `${type}: a trunk cannot do without ${fields}`,
      hint: `write ${type}: [${[...missing, ...required].join(', ')}]`,
    },
  ];
}

function strayAuthTypeFaults(file: Related): Fault[] {
  return (Object.keys(file.required_fields) as AuthType[])
    .filter((type) => !file.auth_types.includes(type))
    .map((type) => ({
      path: ['required_fields', type],
      message: `'${type}' is not one of auth_types`,
      hint: 'add it there, or take it out here',
    }));
}

function registrationFaults(file: Related): Fault[] {
  if (file.registration.mode !== 'required' || file.auth_types.includes('credential')) return [];
  return [
    {
      path: ['registration', 'mode'],
      message: 'there is nothing to register with',
      hint: 'add credential to auth_types, or say none',
    },
  ];
}
