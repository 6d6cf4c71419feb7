/** A server, process or client that must be closed even if the test fails. */
interface Closable {
  close(): unknown;
}

const open: Closable[] = [];

/** Closes the resource after the current test, even if it fails. The newest resource is closed first. */
export function closeAfterTest<Resource extends Closable>(resource: Resource): Resource {
  open.push(resource);
  return resource;
}

afterEach(async () => {
  for (let resource = open.pop(); resource !== undefined; resource = open.pop()) {
    await resource.close();
  }
});
