import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.flume.source.avro.AvroFlumeEvent;
import org.apache.log4j.Level;
import org.apache.log4j.LogManager;
import org.apache.log4j.Logger;
import org.apache.log4j.PropertyConfigurator;
import org.apache.log4j.spi.LoggingEvent;

/** Logs a fixed list of messages through the appender of a log4j.properties. */
final class Log4j1Program {
  private static final Schema SCHEMA =
      new Schema.Parser()
          .parse(
              "{\"type\":\"record\",\"name\":\"Reading\",\"namespace\":\"test\",\"fields\":["
                  + "{\"name\":\"sensor\",\"type\":\"string\"},{\"name\":\"value\",\"type\":\"double\"}]}");

  /** Written by reflection. */
  static final class Measurement {
    final String place;
    final int number;
    final double[] series;

    Measurement(String place, int number, double... series) {
      this.place = place;
      this.number = number;
      this.series = series;
    }
  }

  private long timestamp = 1_700_000_000_000L;
  private final List<String> failures = new ArrayList<>();

  /** With: properties, messages ("text", "many", "records" or "reflection"). Gives what the log calls threw. */
  static Object run(JsonObject with) {
    Properties properties = new Properties();
    for (Map.Entry<String, JsonElement> each : with.getAsJsonObject("properties").entrySet()) {
      properties.setProperty(each.getKey(), each.getValue().getAsString());
    }
    Log4j1Program program = new Log4j1Program();
    try {
      LogManager.resetConfiguration();
      PropertyConfigurator.configure(properties);
      program.log(with.get("messages").getAsString());
    } finally {
      LogManager.shutdown();
    }
    return program.failures;
  }

  private void log(String messages) {
    switch (messages) {
      case "text":
        logText();
        break;
      case "many":
        for (int n = 0; n < 300; n++) log("many", Level.INFO, "event " + n);
        break;
      case "records":
        log("records", Level.INFO, reading("r1", 1.5));
        log("records", Level.INFO, Arrays.asList(reading("r2", -2), reading("größe", 1e300)));
        log("records", Level.WARN, event("k", "v", "hello"));
        log("records", Level.INFO, "text behind a record");
        log("records", Level.INFO, Arrays.asList(reading("r3", 0), "text behind it in a list"));
        break;
      case "reflection":
        log("reflection", Level.INFO, new Measurement("Zürich", 7, 1, 2.5));
        log("reflection", Level.INFO, "a plain string");
        log("reflection", Level.INFO, Arrays.asList(new Measurement("", 0), new Measurement("b", -1)));
        break;
      default:
        throw new IllegalArgumentException(messages);
    }
  }

  private void logText() {
    Level[] levels = {Level.TRACE, Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR, Level.FATAL};
    for (Level level : levels) log("db.pool", level, "at " + level);
    log("größe.ø", Level.INFO, "ümlaut größe \uD83D\uDCA5 \uFFFF");
    log("empty", Level.INFO, "");
    log("lines", Level.INFO, "first\nsecond\r\n\tthird\0");
    log("number", Level.INFO, 42);
    log("list", Level.INFO, Arrays.asList("a", "b", 3));
    log("list", Level.INFO, Collections.singletonList("alone"));
    log("list", Level.INFO, Collections.emptyList());
    List<String> many = new ArrayList<>();
    for (int n = 0; n < 250; n++) many.add("of many " + n);
    log("list", Level.INFO, many);
    log("failure", Level.ERROR, "with a cause");
    log("large", Level.INFO, new String(new char[100_000]).replace('\0', 'x'));
  }

  private void log(String logger, Level level, Object message) {
    Logger to = LogManager.getLogger(logger);
    Throwable thrown = logger.equals("failure") ? new IllegalStateException("broken") : null;
    try {
      to.callAppenders(
          new LoggingEvent(Logger.class.getName(), to, timestamp++, level, message, thrown));
    } catch (RuntimeException error) {
      failures.add(Peer.chain(error));
    }
  }

  private static GenericRecord reading(String sensor, double value) {
    GenericRecord record = new GenericData.Record(SCHEMA);
    record.put("sensor", sensor);
    record.put("value", value);
    return record;
  }

  private static AvroFlumeEvent event(String key, String value, String body) {
    AvroFlumeEvent event = new AvroFlumeEvent();
    event.setHeaders(Collections.<CharSequence, CharSequence>singletonMap(key, value));
    event.setBody(ByteBuffer.wrap(body.getBytes(StandardCharsets.UTF_8)));
    return event;
  }
}
