import { generateKeyPairSync, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/** A certificate and its key in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The fields of a certificate. */
export interface CertificateOptions {
  /** Its host name or IPv4 address. Default: `127.0.0.1`. */
  readonly host?: string;
  /** Its owner. Two certificates that one process trusts need different owners. */
  readonly subject?: string;
  /** Name of its issuer. Default: its owner. It is always signed with its own key. */
  readonly issuer?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const dayMs = 86_400_000;
const ecdsaWithSha256 = sequence(Buffer.from("06082a8648ce3d040302", "hex"));
const commonName = Buffer.from("0603550403", "hex");
const subjectAltName = Buffer.from("0603551d11", "hex");

/**
 * Creates a certificate with a new key. Node cannot write certificates, and secret scanners would report a key in the
 * repository. So this function encodes the few fields itself (RFC 5280).
 */
export function createCertificate(options: CertificateOptions = {}): Certificate {
  const { host = "127.0.0.1", subject = "self", issuer = subject, notBefore, notAfter } = options;
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const signed = sequence(
    field(0xa0, field(0x02, Buffer.from([2]))),
    field(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(notBefore ?? new Date(Date.now() - dayMs)), time(notAfter ?? new Date(Date.now() + dayMs))),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    field(0xa3, sequence(sequence(subjectAltName, field(0x04, sequence(altNameOf(host)))))),
  );
  const signature = field(0x03, Buffer.from([0]), sign("sha256", signed, privateKey));
  const lines =
    sequence(signed, ecdsaWithSha256, signature)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return {
    cert: ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n"),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function nameOf(name: string): Buffer {
  return sequence(field(0x31, sequence(commonName, field(0x0c, Buffer.from(name)))));
}

function altNameOf(host: string): Buffer {
  return isIPv4(host) ? field(0x87, Buffer.from(host.split(".").map(Number))) : field(0x82, Buffer.from(host));
}

/** UTCTime, `YYMMDDhhmmssZ`. */
function time(date: Date): Buffer {
  return field(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/\.\d+|[-:T]/g, "")
        .slice(2)}`,
    ),
  );
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return field(0x30, ...parts);
}

/** Encodes one DER field: tag, length, content. */
function field(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
