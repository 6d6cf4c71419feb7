import { Metadata, type ServerErrorResponse, type StatusObject, status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Properties, ResourceError, UnfinishedError } from "../../kinds/hosted-kind";

type ServiceFailure = ServerErrorResponse & Partial<StatusObject>;

/**
 * Writes an error as the engine reads it. A resource that exists but is not as declared is in the details, so that the engine keeps
 * it in the state.
 *
 * @param close closes the properties of such a resource, with the marks of its secrets
 */
export function serviceFailure(error: unknown, close: (properties: Properties) => Struct): ServiceFailure {
  if (error instanceof UnfinishedError) {
    return unfinished(error, close(error.properties));
  }
  // Only a defect of the provider has a stack that helps.
  const details =
    error instanceof ResourceError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  return { name: "ResourceError", message: details, code: status.UNKNOWN, details };
}

function unfinished({ id, details: reason, message }: UnfinishedError, properties: Struct): ServiceFailure {
  const left = new ErrorResourceInitFailed().setId(id).setProperties(properties).setReasonsList([reason]);
  const packed = new Any();
  packed.pack(left.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const details = new Status().setCode(status.UNKNOWN).setMessage(message).setDetailsList([packed]);
  const metadata = new Metadata();
  // Go's gRPC reads the details of an error there.
  metadata.set("grpc-status-details-bin", Buffer.from(details.serializeBinary()));
  return { name: "ResourceError", message, code: status.UNKNOWN, details: message, metadata };
}
