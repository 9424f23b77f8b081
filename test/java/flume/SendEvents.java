import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flume.Event;
import org.apache.flume.api.RpcClient;
import org.apache.flume.api.RpcClientFactory;
import org.apache.flume.event.EventBuilder;

/**
 * Sends numbered events with Flume's own client: SendEvents COUNT BATCH key=value…
 * COUNT events with body "java-N" and header n=N, by append when BATCH is 0, else by appendBatch.
 * The remaining arguments are the client's properties. Prints "sent COUNT" when all were accepted.
 */
public class SendEvents {
  public static void main(String[] args) throws Exception {
    int count = Integer.parseInt(args[0]);
    int batch = Integer.parseInt(args[1]);
    Properties properties = new Properties();
    for (int i = 2; i < args.length; i++) {
      int at = args[i].indexOf('=');
      properties.setProperty(args[i].substring(0, at), args[i].substring(at + 1));
    }
    RpcClient client = RpcClientFactory.getInstance(properties);
    try {
      List<Event> events = new ArrayList<>();
      for (int n = 0; n < count; n++) {
        Event event =
            EventBuilder.withBody(
                ("java-" + n).getBytes(StandardCharsets.UTF_8), Map.of("n", String.valueOf(n), "ümlaut", "größe"));
        if (batch == 0) {
          client.append(event);
          continue;
        }
        events.add(event);
        if (events.size() == batch || n == count - 1) {
          client.appendBatch(events);
          events.clear();
        }
      }
    } finally {
      client.close();
    }
    PrintStream out = System.out;
    out.println("sent " + count);
  }
}
