import { plain, type Style } from './style.ts';

interface ShownFinding {
  object: string;
  message: string;
  file: string | null;
  differs: readonly string[];
}

export interface ShownDrift {
  node: string;
  generation: number | null;
  findings: readonly ShownFinding[];
  error: { message: string } | null;
  live: boolean;
}

/** What each node holds or runs besides what was delivered, what waits to be delivered, and what to do about it. */
export function driftText(drifts: readonly ShownDrift[], style: Style = plain): string {
  return drifts.map((drift) => driftOfNode(drift, style)).join('');
}

function driftOfNode(drift: ShownDrift, style: Style): string {
  const { node, generation, findings, error, live } = drift;
  const name = style.bold(node);
  const failed = error === null ? '' : `${name}: ${style.bad('not compared')}: ${error.message}\n`;
  if (error !== null && findings.length === 0) return failed;
  if (generation === null && findings.length === 0)
    return `${name}: ${style.dim('nothing was delivered yet')}\n`;
  const compared = live ? 'database, files and running system' : 'database and files';
  if (findings.length === 0)
    return `${name}: ${style.good('no drift')} from generation ${generation} (${compared})\n`;
  const head = `${style.warn(`${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`)} against generation ${generation} (${compared})`;
  const groups = grouped(findings).map(([differs, group]) => groupText(node, differs, group, style));
  return `${name}: ${head}\n${groups.join('')}${failed}`;
}

/** Findings that call for the same remedy stand together. */
function grouped(findings: readonly ShownFinding[]): [readonly string[], ShownFinding[]][] {
  const groups = new Map<string, [readonly string[], ShownFinding[]]>();
  for (const finding of findings) {
    const key = finding.differs.join();
    const group = groups.get(key) ?? [finding.differs, []];
    groups.set(key, group);
    group[1].push(finding);
  }
  return [...groups.values()];
}

/** From so many findings of one kind on, they are counted and not shown. */
const shownFindings = 50;

function groupText(
  node: string,
  differs: readonly string[],
  findings: readonly ShownFinding[],
  style: Style,
): string {
  const lines = findings
    .slice(0, shownFindings)
    .map(({ object, message, file }) => `    ${object}: ${message}${file === null ? '' : ` (${file})`}\n`);
  const rest = findings.length - shownFindings;
  const more = rest > 0 ? `    … and ${rest} more\n` : '';
  const head = `  ${headings[differs.join()] ?? differs.join(', ')}:`;
  return `${style.bold(head)}\n${lines.join('')}${more}${style.dim(`    → ${remedyOf(node, differs)}`)}\n`;
}

const headings: Readonly<Record<string, string>> = {
  database: 'in the database, not delivered yet',
  files: 'in the files of the node',
  running: 'in the running system only',
  'files,running': 'in the files of the node, and in force',
  'database,files': 'in the database and, otherwise, in the files',
  'database,running': 'in the database and, otherwise, in the running system',
  'database,files,running': 'in the database and, otherwise, in the files and in force',
};

/** What to do about a finding, as command lines. */
export function remedyOf(node: string, differs: readonly string[]): string {
  const [inDatabase, inFiles] = [differs.includes('database'), differs.includes('files')];
  const adopt = `sipctl drift adopt --node ${node}`;
  const revert = `sipctl drift revert --node ${node}`;
  if (inFiles && inDatabase)
    return `${adopt} takes the edit into the database first; sipctl apply takes it away`;
  if (inFiles) return `${adopt} takes it into the database, ${revert} takes it away`;
  if (inDatabase) return 'sipctl apply delivers it';
  return `${revert} reloads what was delivered`;
}
