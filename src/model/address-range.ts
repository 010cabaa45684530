/** The addresses of a network as numbers, first and last one included. IPv4 and IPv6 are never compared. */
export interface AddressRange {
  version: 4 | 6;
  first: bigint;
  last: bigint;
}

/** The range of an address or a network in the form that the rule `network` lets in. */
export function rangeOf(network: string): AddressRange {
  const [address = '', length] = network.split('/');
  const version = address.includes(':') ? 6 : 4;
  const bits = version === 4 ? 32 : 128;
  const free = BigInt(bits - (length === undefined ? bits : Number(length)));
  const number = version === 4 ? ipv4(address) : ipv6(address);
  const first = (number >> free) << free;
  return { version, first, last: first + (1n << free) - 1n };
}

const ipv4 = (address: string): bigint => joined(address.split('.').map(Number), 8n);

// RFC 4291 §2.2: `::` stands for as many zero groups as are missing.
function ipv6(address: string): bigint {
  const [left = [], right] = address
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16))));
  if (right === undefined) return joined(left, 16n);
  const zeros = new Array<number>(8 - left.length - right.length).fill(0);
  return joined([...left, ...zeros, ...right], 16n);
}

const joined = (parts: readonly number[], bits: bigint): bigint =>
  parts.reduce((number, part) => (number << bits) | BigInt(part), 0n);
