import { createHash } from 'node:crypto';
import { boxesFile, callsFile, roomsFile } from '../delivered-files.ts';
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
  calls: { file: callsFile, text: read(callsFile), each: 'contexts' },
  boxes: { file: boxesFile, text: read(boxesFile), each: 'contexts' },
  rooms: { file: roomsFile, text: read(roomsFile), each: 'contexts' },
});

export type Shapes = ReturnType<typeof shapesFrom>;

/** The shapes without sections: what stands in them is made by code. */
export const plainShapes = ['index', 'calls', 'boxes', 'rooms'] as const;
export type PlainShape = (typeof plainShapes)[number];

/** Hex SHA-256 of what the shapes say: with another one, the same templates and data give other bytes. */
export const digestOfShapes = (shapes: Shapes): string =>
  createHash('sha256').update(JSON.stringify(shapes)).digest('hex');
