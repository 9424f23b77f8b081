import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Does what a test asks for with Flume's own classes. Each line of standard input is one request, each
 * of standard output one answer, both JSON: {"id": 1, "do": "send", "with": {…}}, answered by
 * {"id": 1, "result": …} or {"id": 1, "error": "…"}. Requests run beside each other.
 */
public class Peer {
  /** What a request asks for. */
  interface Command {
    Object run(JsonObject with) throws Exception;
  }

  final Map<String, Command> commands = new ConcurrentHashMap<>();
  private final Gson gson = new Gson();
  private final PrintWriter out =
      new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), true);

  Peer() {
    Map<String, Sender> senders = new ConcurrentHashMap<>();
    commands.put(
        "send",
        with -> {
          Sender sender = new Sender(with);
          senders.put(sender.name(), sender);
          return sender.run();
        });
    commands.put("endSending", with -> senders.get(with.get("name").getAsString()).end());
    commands.put("converse", Conversation::run);
    FlumeAgents agents = new FlumeAgents();
    commands.put("startAgent", with -> agents.start(with.get("file").getAsString()));
    commands.put("stopAgent", with -> agents.stop(with.get("file").getAsString()));
    commands.put("writeStore", Stores::write);
  }

  public static void main(String[] args) throws Exception {
    new Peer().serve();
  }

  void serve() throws Exception {
    System.setOut(System.err); // standard output is for answers alone
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonObject request = new JsonParser().parse(line).getAsJsonObject();
      new Thread(() -> answer(request), "program").start();
    }
    System.exit(0);
  }

  private void answer(JsonObject request) {
    JsonObject answer = new JsonObject();
    answer.add("id", request.get("id"));
    try {
      Command command = commands.get(request.get("do").getAsString());
      answer.add("result", gson.toJsonTree(command.run(request.getAsJsonObject("with"))));
    } catch (Throwable error) {
      answer.addProperty("error", chain(error));
    }
    synchronized (out) {
      out.println(gson.toJson(answer));
    }
  }

  /** The message of a failure and of its causes. */
  static String chain(Throwable error) {
    StringBuilder text = new StringBuilder();
    for (Throwable each = error; each != null; each = each.getCause()) {
      if (text.length() > 0) text.append(" <- ");
      text.append(each.getClass().getSimpleName()).append(": ").append(each.getMessage());
    }
    return text.toString();
  }
}
