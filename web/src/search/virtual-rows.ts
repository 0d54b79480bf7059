import {
  Virtualizer,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useRef } from "preact/hooks";

export interface VirtualRows {
  items: VirtualItem[];
  height: number;
  scrollTo(index: number): void;
  /** The `ref` of rows whose height is not `rowHeight`; they need `data-index`. */
  measure(element: Element | null): void;
}

/**
 * The rows of a long list that are in view.
 *
 * @param measured whether rows have heights of their own; without it all have `rowHeight`.
 */
export function useVirtualRows(
  count: number,
  rowHeight: number,
  scroller: RefObject<HTMLElement>,
  measured = false,
): VirtualRows {
  const [, show] = useReducer((version: number) => version + 1, 0);
  const options = {
    count,
    estimateSize: () => rowHeight,
    getScrollElement: () => scroller.current,
    observeElementOffset,
    observeElementRect,
    scrollToFn: elementScroll,
    overscan: 8,
    onChange: () => show(0),
  };
  const made = useRef<Virtualizer<HTMLElement, Element> | null>(null);
  const virtualizer = (made.current ??= new Virtualizer<HTMLElement, Element>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, rowHeight, measured]);
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    scrollTo: (index) => virtualizer.scrollToIndex(index, { align: "auto" }),
    measure: virtualizer.measureElement,
  };
}
