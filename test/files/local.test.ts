import { localGenerations } from '../../src/files/local.ts';
import { declareGenerationCases, now } from './generation-cases.ts';

declareGenerationCases((dir) => localGenerations(dir, { now }));
