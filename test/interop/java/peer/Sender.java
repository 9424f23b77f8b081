import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flume.Event;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.FlumeException;
import org.apache.flume.api.RpcClient;
import org.apache.flume.api.RpcClientFactory;
import org.apache.flume.event.EventBuilder;

/**
 * Sends numbered events with Flume's client and keeps a record of them. The event N has the body
 * "NAME-N", filled up with spaces to bodySize octets, and headers n=N and ümlaut=größe.
 */
final class Sender {
  private static final long RETRY_MILLIS = 50;

  private final String name;
  private final Properties properties = new Properties();
  private final int count;
  private final int batch;
  private final int bodySize;
  private final boolean retry;
  private final long pauseMillis;
  private final List<int[]> resent = new ArrayList<>();
  private final Map<String, Integer> failures = new LinkedHashMap<>();
  private volatile boolean ending;
  private volatile int acknowledged;

  /** With: name, properties, count (0: until it is ended), batch (0: append), bodySize, retry, pauseMillis. */
  Sender(JsonObject with) {
    name = with.get("name").getAsString();
    for (Map.Entry<String, JsonElement> each : with.getAsJsonObject("properties").entrySet()) {
      properties.setProperty(each.getKey(), each.getValue().getAsString());
    }
    count = with.get("count").getAsInt();
    batch = with.get("batch").getAsInt();
    bodySize = with.has("bodySize") ? with.get("bodySize").getAsInt() : 0;
    retry = with.has("retry") && with.get("retry").getAsBoolean();
    pauseMillis = with.has("pauseMillis") ? with.get("pauseMillis").getAsLong() : 0;
  }

  String name() {
    return name;
  }

  /** Lets the batch on its way be the last. Gives how many are acknowledged by now. */
  int end() {
    ending = true;
    return acknowledged;
  }

  /** The record: how many were acknowledged, which were sent again, and what failed how often. */
  Map<String, Object> run() throws Exception {
    RpcClient client = null;
    try {
      while (!ending && (count == 0 || acknowledged < count)) {
        int first = acknowledged;
        int last = first + Math.max(1, batch);
        if (count > 0) last = Math.min(last, count);
        try {
          if (client == null) client = RpcClientFactory.getInstance(properties);
          if (batch == 0) client.append(event(first));
          else client.appendBatch(events(first, last));
          acknowledged = last;
          if (pauseMillis > 0) Thread.sleep(pauseMillis);
        } catch (EventDeliveryException | FlumeException error) {
          if (!retry) throw error;
          failures.merge(Peer.chain(error), 1, Integer::sum);
          resent.add(new int[] {first, last});
          close(client);
          client = null;
          Thread.sleep(RETRY_MILLIS);
        }
      }
    } finally {
      close(client);
    }
    Map<String, Object> record = new HashMap<>();
    record.put("name", name);
    record.put("acknowledged", acknowledged);
    record.put("resent", resent);
    record.put("failures", failures);
    return record;
  }

  private void close(RpcClient client) {
    if (client == null) return;
    try {
      client.close();
    } catch (FlumeException error) {
      failures.merge("close: " + Peer.chain(error), 1, Integer::sum);
    }
  }

  private List<Event> events(int first, int last) {
    List<Event> events = new ArrayList<>(last - first);
    for (int n = first; n < last; n++) events.add(event(n));
    return events;
  }

  private Event event(int n) {
    StringBuilder body = new StringBuilder(name).append('-').append(n);
    while (body.length() < bodySize) body.append(' ');
    Map<String, String> headers = new HashMap<>();
    headers.put("n", String.valueOf(n));
    headers.put("ümlaut", "größe");
    return EventBuilder.withBody(body.toString().getBytes(StandardCharsets.UTF_8), headers);
  }
}
