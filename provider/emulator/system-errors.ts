const reasons: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  EEXIST: "File exists",
  EACCES: "Permission denied",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
  ELOOP: "Too many levels of symbolic links",
  ENOTEMPTY: "Directory not empty",
  ENAMETOOLONG: "File name too long",
  ENOSPC: "No space left on device",
  ENXIO: "Not a regular file",
  EAGAIN: "Not a regular file",
  E2BIG: "Argument list too long",
};

/** Why something failed, without the paths on this computer that the messages of file errors contain. */
export function systemErrorReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return reasons[code ?? ""] ?? code ?? message;
}
