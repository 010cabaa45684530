import { userTemplatesTable, userTemplateText } from '../report/templates.ts';
import type { CommandSpec, Run } from './command.ts';
import { noTemplate } from './provider.ts';

const list: Run = async (app) => {
  const templates = [...(await app.catalog()).users.values()];
  return {
    data: { templates: templates.map(({ asterisk: _, ...template }) => template), count: templates.length },
    text: (style) => userTemplatesTable(templates, style),
  };
};

const show: Run = async (app, { args }) => {
  const { users } = await app.catalog();
  const id = args[0] as string;
  const template = users.get(id);
  if (template === undefined) throw noTemplate('user-template', id, [...users.keys()]);
  return { data: { template }, text: (style) => userTemplateText(template, style) };
};

export const userTemplateCommand: CommandSpec = {
  name: 'user-template',
  summary: 'templates for kinds of phones',
  verbs: [
    { name: 'list', summary: 'list the kinds of phones that sipctl knows', run: list },
    { name: 'show', summary: 'what a kind of phone is given, and why', args: '<id>', run: show },
  ],
};
