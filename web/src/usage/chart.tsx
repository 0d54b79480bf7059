import { bytesText, count, dayText } from "../controls/format";
import type { ChartLine, Scale } from "./chart-scale";
import type { PeriodDay } from "./forecast";

const WIDTH = 900;
const HEIGHT = 240;
const LEFT = 64;
const BOTTOM = 24;
const PLOT = HEIGHT - BOTTOM;

/**
 * The volume of the period day by day: a bar for each day up to the total so far, the day's own part in full colour.
 * The same figures are in a table below it.
 */
export function UsageChart(props: {
  days: readonly PeriodDay[];
  scale: Scale;
  forecast: number | null;
  label: string;
}) {
  const { days, scale } = props;
  const step = (WIDTH - LEFT) / days.length;
  const y = (bytes: number) => PLOT - (PLOT * bytes) / scale.top;
  return (
    <div class="usage-chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={props.label} preserveAspectRatio="none">
        {scale.ticks.map((tick) => (
          <line key={tick} class="grid" x1={LEFT} x2={WIDTH} y1={y(tick)} y2={y(tick)} />
        ))}
        {days.map((each, index) => (
          <Bar key={each.day} day={each} x={LEFT + index * step} width={step} y={y} />
        ))}
        {props.forecast !== null && <Forecast days={days} forecast={props.forecast} step={step} y={y} />}
        {scale.lines.map((line) => (
          <line key={line.kind} class={`cap ${line.kind}`} x1={LEFT} x2={WIDTH} y1={y(line.bytes)} y2={y(line.bytes)} />
        ))}
        <line class="axis" x1={LEFT} x2={WIDTH} y1={PLOT} y2={PLOT} />
      </svg>
      <Names days={days} scale={scale} />
    </div>
  );
}

function Bar(props: { day: PeriodDay; x: number; width: number; y: (bytes: number) => number }) {
  const { total, bytes, day, rows } = props.day;
  if (total === null) return null;
  const gap = props.width * 0.15;
  const before = props.y(total - bytes);
  const top = Math.min(props.y(total), bytes > 0 ? before - 1 : before);
  const box = { x: props.x + gap, width: props.width - 2 * gap };
  return (
    <g>
      <title>{`${dayText(day)}: ${bytesText(bytes)}, ${count(rows)} rows; ${bytesText(total)} so far`}</title>
      <rect class="until" {...box} y={before} height={Math.max(0, PLOT - before)} />
      <rect class="of-day" {...box} y={top} height={before - top} />
      <rect class="hover" x={props.x} width={props.width} y={0} height={PLOT} />
    </g>
  );
}

/** From today's total to the total expected at the end of the period. */
function Forecast(props: { days: readonly PeriodDay[]; forecast: number; step: number; y: (bytes: number) => number }) {
  const { days, step, y } = props;
  const today = days.findLastIndex((each) => each.total !== null);
  if (today < 0 || today === days.length - 1) return null;
  return (
    <line
      class="forecast"
      x1={LEFT + (today + 1) * step}
      x2={WIDTH}
      y1={y(days[today]!.total!)}
      y2={y(props.forecast)}
    />
  );
}

/** Texts are HTML, so that they keep their size when the chart is stretched. */
function Names({ days, scale }: { days: readonly PeriodDay[]; scale: Scale }) {
  const share = (bytes: number) => ({ bottom: `${(BOTTOM + (PLOT * bytes) / scale.top) / (HEIGHT / 100)}%` });
  const middle = days[Math.floor(days.length / 2)];
  return (
    <div aria-hidden="true">
      {scale.ticks.map((tick) => (
        <span key={tick} class="tick" style={share(tick)}>
          {bytesText(tick)}
        </span>
      ))}
      {scale.lines.map((line: ChartLine) => (
        <span key={line.kind} class={`cap-name ${line.kind}`} style={share(line.bytes)}>
          {line.name} {bytesText(line.bytes)}
        </span>
      ))}
      <div class="chart-days">
        {[days[0], middle, days.at(-1)].map((each) => each && <span key={each.day}>{dayText(each.day, "short")}</span>)}
      </div>
    </div>
  );
}
