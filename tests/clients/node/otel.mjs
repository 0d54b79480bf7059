// OpenTelemetry's JavaScript SDK, in protobuf or JSON.
import { logs, SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter as JsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtobufExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";

const { URL: url, KEY, NAME, COUNT, ENCODING } = process.env;
const Exporter = ENCODING === "json" ? JsonExporter : ProtobufExporter;
const exporter = new Exporter({ url: `${url}/v1/logs`, headers: { authorization: `Bearer ${KEY}` } });
const provider = new LoggerProvider({
  resource: resourceFromAttributes({ "service.name": NAME }),
  processors: [new BatchLogRecordProcessor({ exporter, maxQueueSize: Math.max(Number(COUNT), 512) })],
});
const logger = provider.getLogger("shop.cart", "1.2");
for (let number = 0; number < Number(COUNT); number += 1) {
  logger.emit({
    severityNumber: SeverityNumber.WARN,
    severityText: "WARN",
    body: `record ${number}`,
    attributes: { number, half: number / 2 + 0.25, tags: ["a", "b"], deep: { inner: number } },
  });
}
await provider.forceFlush();
await provider.shutdown();
console.log(JSON.stringify({ sent: Number(COUNT) }));
