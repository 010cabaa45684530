import type { MenuFindings } from '../model/flow/lint-menus.ts';
import { plain, type Style } from './style.ts';

/** One line for each menu that was looked at. */
export const menusText = (menus: readonly MenuFindings[], style: Style = plain): string =>
  menus
    .map(({ ivr, errors, warnings }) => {
      const state = errors.length > 0 ? style.bad(counted(errors.length, 'error')) : style.good('good');
      const doubts = warnings.length > 0 ? `, ${counted(warnings.length, 'warning')}` : '';
      return `${style.bold(ivr)}: ${state}${doubts}\n`;
    })
    .join('');

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
