import { useSearch, useLocation } from "wouter-preact";
import { tabOf, type Tab } from "../search/tabs";
import type { Span } from "./shape";

/** What of a trace is chosen: everything that a shared link shows again. */
export interface TraceAddress {
  /** Services may have spans of the same id. */
  span: Pick<Span, "service" | "span_id"> | null;
  /** The id of the event that is open. */
  event: string | null;
  tab: Tab;
}

export function readTraceAddress(search: string): TraceAddress {
  const parameters = new URLSearchParams(search);
  const span_id = parameters.get("span");
  return {
    span: span_id === null ? null : { service: parameters.get("service") ?? "", span_id },
    event: parameters.get("event"),
    tab: tabOf(parameters.get("tab")),
  };
}

export function writeTraceAddress(traceId: string, { span, event, tab }: TraceAddress): string {
  const parameters = new URLSearchParams();
  if (span) parameters.set("span", span.span_id);
  if (span?.service) parameters.set("service", span.service);
  if (event) parameters.set("event", event);
  if (event && tab !== "event") parameters.set("tab", tab);
  const text = parameters.toString();
  const path = `/trace/${encodeURIComponent(traceId)}`;
  return text ? `${path}?${text}` : path;
}

/** The address of a trace's page, and how to change it; "back" leaves the trace. */
export function useTraceAddress(traceId: string): [TraceAddress, (to: Partial<TraceAddress>) => void] {
  const address = readTraceAddress(useSearch());
  const [, navigate] = useLocation();
  const go = (to: Partial<TraceAddress>) =>
    navigate(writeTraceAddress(traceId, { ...readTraceAddress(location.search), ...to }), { replace: true });
  return [address, go];
}
