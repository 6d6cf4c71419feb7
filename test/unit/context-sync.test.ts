import * as fc from "fast-check";
import { contextStatusSchema } from "../../provider/api/context-sync";
import { downloadsOnCreate, encodeMount, encodePolicy, uploadsOnRelease } from "../../provider/api/sync-policy";

const defaults = {
  uploadPolicy: { autoUpload: true, uploadStrategy: "UploadBeforeResourceRelease", uploadMode: "File" },
  downloadPolicy: { autoDownload: true, downloadStrategy: "DownloadAsync" },
  deletePolicy: { syncLocalFile: true },
  extractPolicy: { extract: true, deleteSrcFile: true, extractToCurrentFolder: false },
  recyclePolicy: { lifecycle: "Lifecycle_Forever", paths: [""] },
  bwList: { whiteLists: [] },
};

describe("a policy on the wire", () => {
  test("has every default, even when the mount has no policy", () => {
    expect(JSON.parse(encodePolicy({}))).toStrictEqual(defaults);
    const { policy, ...mount } = encodeMount({ contextId: "SdkCtx-1", path: "/home/data" });
    expect(mount).toEqual({ contextId: "SdkCtx-1", path: "/home/data" });
    expect(JSON.parse(policy)).toStrictEqual(defaults);
  });

  test("keeps the defaults of what is not given, in each of its parts", () => {
    const parts = {
      uploadPolicy: {},
      downloadPolicy: {},
      deletePolicy: {},
      extractPolicy: {},
      recyclePolicy: {},
      bwList: {},
    };
    expect(JSON.parse(encodePolicy(parts))).toStrictEqual(defaults);
    expect(JSON.parse(encodePolicy({ ...parts, uploadPolicy: { uploadMode: "Archive" } }))).toStrictEqual({
      ...defaults,
      uploadPolicy: { ...defaults.uploadPolicy, uploadMode: "Archive" },
    });
  });

  test("has everything that is given, with the key that AGB has for the option extractCurrentFolder", () => {
    const encoded = encodePolicy({
      uploadPolicy: { autoUpload: false, uploadStrategy: "UploadBeforeResourceRelease", uploadMode: "Archive" },
      downloadPolicy: { autoDownload: false, downloadStrategy: "DownloadAsync" },
      deletePolicy: { syncLocalFile: false },
      extractPolicy: { extract: false, deleteSrcFile: false, extractCurrentFolder: true },
      recyclePolicy: { lifecycle: "Lifecycle_10Days", paths: ["logs", "tmp"] },
      bwList: { whiteLists: [{ path: "/src" }, { path: "/docs", excludePaths: ["/docs/old"] }] },
      mappingPolicy: { path: "/data" },
    });
    expect(JSON.parse(encoded)).toStrictEqual({
      uploadPolicy: { autoUpload: false, uploadStrategy: "UploadBeforeResourceRelease", uploadMode: "Archive" },
      downloadPolicy: { autoDownload: false, downloadStrategy: "DownloadAsync" },
      deletePolicy: { syncLocalFile: false },
      extractPolicy: { extract: false, deleteSrcFile: false, extractToCurrentFolder: true },
      recyclePolicy: { lifecycle: "Lifecycle_10Days", paths: ["logs", "tmp"] },
      bwList: {
        whiteLists: [
          { path: "/src", excludePaths: [] },
          { path: "/docs", excludePaths: ["/docs/old"] },
        ],
      },
      mappingPolicy: { path: "/data" },
    });
  });
});

test("a mount uploads and downloads automatically unless its policy says otherwise", () => {
  const mount = { contextId: "SdkCtx-1", path: "/home/data" };
  const manual = { ...mount, policy: { uploadPolicy: { autoUpload: false }, downloadPolicy: { autoDownload: false } } };
  expect([uploadsOnRelease(mount), downloadsOnCreate(mount)]).toEqual([true, true]);
  expect([uploadsOnRelease(manual), downloadsOnCreate(manual)]).toEqual([false, false]);
});

const statusOf = (items: unknown) => JSON.stringify([{ type: "data", data: JSON.stringify(items) }]);

describe("the status of synchronizations", () => {
  test("is read from its three layers unchanged", () => {
    const items = fc.array(
      fc.record({
        contextId: fc.string({ unit: "binary" }),
        path: fc.string({ unit: "binary" }),
        status: fc.constantFrom("Success", "Failed"),
        taskType: fc.constantFrom("upload", "download"),
        startTime: fc.nat(),
        finishTime: fc.nat(),
        errorMessage: fc.string({ unit: "binary" }),
      }),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(items, (sent) => {
        const expected = sent.map(({ taskType, ...item }) => ({
          ...item,
          direction: taskType,
          progress: item.status === "Success" ? "succeeded" : "failed",
        }));
        expect(contextStatusSchema.parse(statusOf(sent))).toEqual(expected);
      }),
    );
  });

  test.each([undefined, null, "", "[]", "null", [], statusOf([]), '[{"type":"data"}]', '[{"type":"data","data":""}]'])(
    "%j has no items",
    (status) => {
      expect(contextStatusSchema.parse(status)).toEqual([]);
    },
  );

  test("skips parts of other types, whatever they hold", () => {
    const parts = [
      { type: "other", data: "not JSON" },
      { data: 5 },
      { type: "data", data: '[{"contextId":"SdkCtx-1"}]' },
    ];
    expect(contextStatusSchema.parse(JSON.stringify(parts))).toMatchObject([{ contextId: "SdkCtx-1" }]);
  });

  test.each(["Running", "Preparing", "", undefined, null, "Partial Success"])("%j is in progress", (status) => {
    expect(contextStatusSchema.parse(statusOf([{ status }]))).toMatchObject([{ progress: "running" }]);
  });

  test("reads items that hold only a status", () => {
    expect(contextStatusSchema.parse(statusOf([{ status: "Success" }]))).toEqual([
      {
        contextId: "",
        path: "",
        direction: "",
        status: "Success",
        progress: "succeeded",
        startTime: 0,
        finishTime: 0,
        errorMessage: "",
      },
    ]);
  });

  test("reads times that are strings", () => {
    expect(contextStatusSchema.parse(statusOf([{ startTime: "1767225600", finishTime: "" }]))).toMatchObject([
      { startTime: 1_767_225_600, finishTime: 0 },
    ]);
  });

  test.each([
    ["a string that is not JSON", "<html>"],
    ["something that is not a list", '{"type":"data"}'],
    ["a number", 5],
    ["a part that is not an object", "[5]"],
    ["items that are not JSON", '[{"type":"data","data":"[{"}]'],
    ["an item that is not an object", '[{"type":"data","data":"[5]"}]'],
    ["a list with too many items", statusOf(Array(10_001).fill({}))],
  ])("%s is not read as no items", (_what, status) => {
    expect(contextStatusSchema.safeParse(status).success).toBe(false);
  });
});
