import { plain, type Style } from './style.ts';

export interface ShownDrift {
  node: string;
  generation: number | null;
  findings: readonly { object: string; message: string; file: string | null }[];
  error: { message: string } | null;
  live: boolean;
}

/** What each node holds or runs besides what was delivered. */
export function driftText(drifts: readonly ShownDrift[], style: Style = plain): string {
  return drifts.map((drift) => driftOfNode(drift, style)).join('');
}

function driftOfNode({ node, generation, findings, error, live }: ShownDrift, style: Style): string {
  const name = style.bold(node);
  if (error !== null) return `${name}: ${style.bad('not compared')}: ${error.message}\n`;
  if (generation === null) return `${name}: ${style.dim('nothing was delivered yet')}\n`;
  const compared = live ? 'files and running system' : 'files';
  if (findings.length === 0)
    return `${name}: ${style.good('no drift')} from generation ${generation} (${compared})\n`;
  const lines = findings.map(
    ({ object, message, file }) => `  ${object}: ${message}${file === null ? '' : ` (${file})`}\n`,
  );
  return `${name}: ${style.warn(`${findings.length} findings`)} against generation ${generation} (${compared})\n${lines.join('')}`;
}
