/** Something that must end whatever becomes of the test: a server, a process, a client. */
interface Closable {
  close(): unknown;
}

const open: Closable[] = [];

/** Closes the resource when the present test is over, also when the test failed; the newest is closed first. */
export function closeAfterTest<Resource extends Closable>(resource: Resource): Resource {
  open.push(resource);
  return resource;
}

afterEach(async () => {
  for (let resource = open.pop(); resource !== undefined; resource = open.pop()) {
    await resource.close();
  }
});
