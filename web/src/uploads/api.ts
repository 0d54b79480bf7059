import { call } from "../api/client";
import type { AnnouncedUpload, ListedUpload, UploadList, UploadSettings } from "../api/schema";

export function announce(file: { name: string; size: number }): Promise<AnnouncedUpload> {
  return call("POST", "/v1/uploads", { body: { filename: file.name, size: file.size } });
}

export function listUploads(cursor: string | undefined, signal?: AbortSignal): Promise<UploadList> {
  return call("GET", "/v1/uploads", { query: { limit: 25, cursor }, ...(signal ? { signal } : {}) });
}

export function resumeUpload(id: string): Promise<ListedUpload> {
  return call("POST", `/v1/uploads/${encodeURIComponent(id)}/resume`);
}

export function readUploadSettings(signal: AbortSignal): Promise<UploadSettings> {
  return call("GET", "/v1/uploads/settings", { signal });
}

export function changeOriginal(original: UploadSettings["original"]): Promise<UploadSettings> {
  return call("PUT", "/v1/uploads/settings", { body: { original } });
}
