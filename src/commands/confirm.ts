import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';

/**
 * Asks before something is destroyed. `--yes` answers for scripts; where nobody can be asked, it is needed.
 * @throws SipctlError `refused`
 */
export async function confirm(app: App, question: string): Promise<void> {
  if (app.config.yes) return;
  if (!app.terminal.interactive) {
    throw new SipctlError('refused', {
      code: 'not_confirmed',
      message: `${question} Nobody can be asked here.`,
      hint: 'say --yes if that is meant',
    });
  }
  const { askYesNo } = await import('./wizard.ts');
  if (!(await askYesNo(question))) {
    throw new SipctlError('refused', {
      code: 'not_confirmed',
      message: 'not confirmed: nothing was done',
      hint: 'say yes, or --yes',
    });
  }
}
