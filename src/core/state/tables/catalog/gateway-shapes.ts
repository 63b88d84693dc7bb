// What a service behind a gateway looks like.

import { flag, integer, omitEmpty, stringList, struct, text } from "../../../model/schema.ts";

const goName = "structs.GatewayService";
const name = { type: struct(goName, { Name: text }) };
const optionalText = omitEmpty(text);

export const gatewayServiceSchema = struct(goName, {
  Gateway: name,
  Service: name,
  GatewayKind: text,
  Port: omitEmpty(integer),
  Protocol: optionalText,
  Hosts: omitEmpty({ type: stringList }),
  CAFile: optionalText,
  CertFile: optionalText,
  KeyFile: optionalText,
  SNI: optionalText,
  FromWildcard: omitEmpty(flag),
});
