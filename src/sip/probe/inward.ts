import { BlockList, isIPv6 } from 'node:net';

// Loopback, "this host" and link-local: RFC 6890; cloud machines keep their own secrets at a link-local address.
const inside = new BlockList();
inside.addSubnet('127.0.0.0', 8);
inside.addSubnet('0.0.0.0', 8);
inside.addSubnet('169.254.0.0', 16);
inside.addSubnet('::', 127, 'ipv6');
inside.addSubnet('fe80::', 10, 'ipv6');

const isInside = (address: string): boolean => inside.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

/** Whether a server elsewhere sends us to this machine itself, where it has no business. */
export const leadsInward = (from: string, to: string): boolean => isInside(to) && !isInside(from);
