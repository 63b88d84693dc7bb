// The name that Consul gives to a set of overrides: a hash over a structure's type and field names and values, by
// which proxies keep chains of one service apart.

const offset = 0xcbf2_9ce4_8422_2325n;
const prime = 0x100_0000_01b3n;

/** What overrides changed in a chain; whatever changed nothing is "" or 0. */
export interface Customization {
  meshGateway: string;
  protocol: string;
  connectTimeoutNs: number;
}

/** Eight hex digits; "" when nothing was changed. */
export function customizationHash(given: Customization): string {
  const { meshGateway, protocol, connectTimeoutNs } = given;
  if (meshGateway === "" && protocol === "" && connectTimeoutNs === 0) return "";
  const hash = hashStruct("", [
    ["OverrideMeshGateway", hashStruct("MeshGatewayConfig", [["Mode", hashText(meshGateway)]])],
    ["OverrideProtocol", hashText(protocol)],
    ["OverrideConnectTimeout", fnv(littleEndian(BigInt(connectTimeoutNs)))],
  ]);
  return hash.toString(16).slice(0, 8);
}

function hashStruct(name: string, fields: readonly [name: string, hash: bigint][]): bigint {
  return fields.reduce(
    (hash, [field, value]) =>
      hash ^ fnv(Uint8Array.of(...littleEndian(hashText(field)), ...littleEndian(value))),
    hashText(name),
  );
}

function hashText(text: string): bigint {
  return fnv(new TextEncoder().encode(text));
}

/** FNV-1 with 64 bits. */
function fnv(bytes: Uint8Array): bigint {
  let hash = offset;
  for (const byte of bytes) hash = BigInt.asUintN(64, hash * prime) ^ BigInt(byte);
  return hash;
}

function littleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return bytes;
}
