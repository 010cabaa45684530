import { describe } from 'vitest';
import { declareGenerationCases } from './generation-cases.ts';
import { generationsBehind, shells } from './shells.ts';

describe.each(shells)('generations behind $name', (shell) => {
  declareGenerationCases((dir) => generationsBehind(shell, dir));
});
