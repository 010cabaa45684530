import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { localRecordings } from '../../src/files/local-recordings.ts';
import { declareFolderCases } from './recording-folders.ts';
import { temporaryFolder } from './tree.ts';

describe('recordings on this machine', () => {
  declareFolderCases(async () => {
    const root = await temporaryFolder();
    mkdirSync(join(root, 'sipctl'));
    return { root, folder: localRecordings(join(root, 'sipctl')) };
  });
});
