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
}

/** The rows of a long list that are in view, of one height each. */
export function useVirtualRows(count: number, rowHeight: number, scroller: RefObject<HTMLElement>): VirtualRows {
  const [, show] = useReducer((version: number) => version + 1, 0);
  const options = {
    count,
    estimateSize: () => rowHeight,
    getScrollElement: () => scroller.current,
    observeElementOffset,
    observeElementRect,
    scrollToFn: elementScroll,
    overscan: 12,
    onChange: () => show(0),
  };
  const made = useRef<Virtualizer<HTMLElement, Element> | null>(null);
  const virtualizer = (made.current ??= new Virtualizer<HTMLElement, Element>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, rowHeight]);
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    scrollTo: (index) => virtualizer.scrollToIndex(index, { align: "auto" }),
  };
}
