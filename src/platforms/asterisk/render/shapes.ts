import { createHash } from 'node:crypto';
import { trunksFile, usersFile } from '../pjsip-object.ts';

/** The shape of a file: a header, and the block of one object, with the place of its sections. */
export interface Shape {
  file: string;
  text: string;
  /** The helper whose body is the block. */
  each: string;
}

/** The shapes by what they hold, with the texts that `read` gives for their file names. */
export const shapesFrom = (read: (file: string) => string) => ({
  trunk: { file: trunksFile, text: read(trunksFile), each: 'trunks' },
  user: { file: usersFile, text: read(usersFile), each: 'users' },
  index: { file: 'index.conf', text: read('index.conf'), each: 'includes' },
});

export type Shapes = ReturnType<typeof shapesFrom>;

/** Hex SHA-256 of what the shapes say: with another one, the same templates and data give other bytes. */
export const digestOfShapes = (shapes: Shapes): string =>
  createHash('sha256').update(JSON.stringify(shapes)).digest('hex');
