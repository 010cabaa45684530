import type { CallFlow } from './call-flow.ts';

/** Whether a call of the tenant can be recorded at all: where none can, nothing about it is rendered. */
export const canRecord = ({ record, inbound, trunks, users, routes, dialled }: CallFlow): boolean =>
  record ||
  [...inbound, ...trunks, ...users].some((one) => one.record) ||
  [...routes, ...dialled.flatMap(({ action }) => (action.kind === 'route' ? [action.route] : []))].some(
    ({ hops }) => hops.some((hop) => hop.record),
  );
