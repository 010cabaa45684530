import { SipctlError } from '../errors.ts';
import { lintMenus } from '../model/flow/lint-menus.ts';
import { menusText } from '../report/menus.ts';
import type { Run, VerbSpec } from './command.ts';
import { tenantFlow } from './tenant-flow.ts';

const run: Run = async (app, { args }) => {
  const { site, resolved } = await tenantFlow(app);
  const name = args[0] ?? null;
  if (name !== null && !site.ivrs.some((ivr) => ivr.name === name)) {
    throw new SipctlError('notFound', {
      code: 'ivr_not_found',
      message: `there is no ivr '${name}' in tenant '${app.config.tenant}'`,
      field: 'name',
      hint: 'sipctl ivr list',
    });
  }
  const menus = lintMenus(site, resolved.flow).filter(({ ivr }) => name === null || ivr === name);
  const errors = menus.flatMap((menu) => menu.errors);
  return {
    data: { ivrs: menus, count: menus.length },
    text: (style) => menusText(menus, style),
    warnings: menus.flatMap((menu) => menu.warnings),
    ...(errors.length > 0 ? { outcome: 'invalid' as const, errors } : {}),
  };
};

/** Looks for dead ends and circles; like `provider lint`, it ends with `invalid` where there is an error. */
export const ivrLint: VerbSpec = {
  name: 'lint',
  summary: 'look for dead ends, circles, and keys and menus that nobody reaches',
  args: '[name]',
  run,
};
