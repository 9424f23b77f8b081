import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flume.Event;
import org.apache.flume.api.RpcClient;
import org.apache.flume.api.RpcClientFactory;
import org.apache.flume.event.EventBuilder;

/** The calls of one connection that is recorded: small ones, a split body, all of Unicode, a split batch. */
final class Conversation {
  private Conversation() {}

  /** With: properties. */
  static Object run(JsonObject with) throws Exception {
    Properties properties = new Properties();
    for (Map.Entry<String, JsonElement> each : with.getAsJsonObject("properties").entrySet()) {
      properties.setProperty(each.getKey(), each.getValue().getAsString());
    }
    RpcClient client = RpcClientFactory.getInstance(properties);
    try {
      client.append(event("hello", "k", "v"));
      client.appendBatch(Arrays.asList(event("a"), event("b", "k", "v")));
      client.append(event("größe \uD83D\uDCA5", "ümlaut", "größe", "empty", "", "", "no name"));
      client.append(event(""));
      client.append(event(new String(new char[10_000]).replace('\0', 'x')));
      client.appendBatch(Collections.<Event>emptyList());
      List<Event> many = new ArrayList<>();
      for (int n = 0; n < 250; n++) many.add(event("event " + n, "n", String.valueOf(n)));
      client.appendBatch(many);
    } finally {
      client.close();
    }
    return true;
  }

  private static Event event(String body, String... headers) {
    Map<String, String> map = new HashMap<>();
    for (int i = 0; i < headers.length; i += 2) map.put(headers[i], headers[i + 1]);
    return EventBuilder.withBody(body.getBytes(StandardCharsets.UTF_8), map);
  }
}
