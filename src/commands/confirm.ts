import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';

/** From this many objects on, removing more than the share below wants its exact count confirmed. */
const fewObjects = 10;
const largestShare = 0.3;

/** @throws SipctlError `refused` where so many would go that it is more likely a mistake than a wish */
export function assertConfirmed(gone: number, of: number, confirmed: number | null, what: string): void {
  if (of < fewObjects || gone <= of * largestShare || gone === confirmed) return;
  throw new SipctlError('refused', {
    code: 'too_many_removals',
    message: `${gone} of ${of} ${what} would be removed`,
    hint: `if that is meant, confirm it: --confirm ${gone}`,
  });
}

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
