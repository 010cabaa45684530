import { emptyFlow } from '../../../model/flow/resolve-flow.ts';
import * as nouns from '../../../model/nouns.ts';
import { resolveTrunk, resolveUser } from '../../../model/resolve.ts';
import type { Catalog } from '../../../model/template.ts';
import { type Fitting, filled, type Sections, type Values } from '../../fit-values.ts';
import { parseRendered } from '../conf/rendered.ts';
import type { Templates } from '../render/compiled.ts';
import { renderTenant } from '../render/render.ts';
import { differences, optionsFor } from './remainder.ts';

interface Named {
  kind: 'trunk' | 'user';
  /** As sipctl is to call the object. */
  name: string;
  tenant: nouns.Tenant;
  catalog: Catalog;
  templates: Templates;
  templateDefaults: boolean;
}

/** How one object is rendered for Asterisk and compared with what was written. */
export function asteriskFitting(named: Named): Fitting {
  const { kind, catalog, templates, templateDefaults } = named;
  const { version } = templates;
  const text = (values: Values): string => rendered(named, values);
  const sections = (values: Values): Sections =>
    new Map(
      (parseRendered(text(values))[0]?.objects ?? []).map(({ type, options }) => [
        type,
        options.map(([option, value]) => ({ option, value })),
      ]),
    );
  return {
    ...{ kind, catalog, text, sections },
    differences: (written, found) => differences(written, found, version),
    optionsFor: (found, written) => optionsFor(kind, found, written, { version, templateDefaults }),
  };
}

function rendered({ kind, name, tenant, catalog, templates }: Named, values: Values): string {
  const site = { tenant, trunks: [], users: [], flow: emptyFlow(tenant.name) };
  const owned = { tenant: tenant.name, enabled: true };
  const full =
    kind === 'trunk'
      ? { ...site, trunks: [trunkOf({ ...filled(nouns.trunk, values), ...owned, name }, tenant, catalog)] }
      : {
          ...site,
          users: [userOf({ ...filled(nouns.user, values), ...owned, username: name }, tenant, catalog)],
        };
  return renderTenant(full, { transports: {}, templates })
    .map((one) => one.text.toString('utf8'))
    .join('');
}

function trunkOf(values: Values, tenant: nouns.Tenant, { providers }: Catalog) {
  const trunk = values as unknown as nouns.Trunk;
  const template = providers.get(trunk.provider);
  if (template === undefined) throw new TypeError(`there is no provider '${trunk.provider}'`);
  return resolveTrunk(trunk, tenant, template);
}

function userOf(values: Values, tenant: nouns.Tenant, { users }: Catalog) {
  const user = values as unknown as nouns.User;
  const template = users.get(user.template);
  if (template === undefined) throw new TypeError(`there is no user template '${user.template}'`);
  return resolveUser(user, tenant, template);
}
