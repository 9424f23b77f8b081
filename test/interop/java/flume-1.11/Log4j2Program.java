import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.MarkerManager;
import org.apache.logging.log4j.ThreadContext;
import org.apache.logging.log4j.core.Logger;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.ConfigurationFactory;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.message.StringMapMessage;
import org.apache.logging.log4j.message.StructuredDataMessage;

/** Logs a fixed list of messages through the appender of a Log4j 2 configuration. */
final class Log4j2Program {
  private Log4j2Program() {}

  /** With: xml (the configuration). Gives what the log calls threw. */
  static Object run(JsonObject with) throws Exception {
    List<String> failures = new ArrayList<>();
    byte[] xml = with.get("xml").getAsString().getBytes(StandardCharsets.UTF_8);
    // A context of its own: Flume may have started the one of this process.
    LoggerContext context = new LoggerContext("program");
    context.start(
        ConfigurationFactory.getInstance()
            .getConfiguration(context, new ConfigurationSource(new ByteArrayInputStream(xml))));
    try {
      log(context, failures);
    } finally {
      ThreadContext.clearAll();
      context.stop();
    }
    return failures;
  }

  private static void log(LoggerContext context, List<String> failures) {
    Logger logger = context.getLogger("db.pool");
    Level[] levels = {Level.TRACE, Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR, Level.FATAL};
    for (Level level : levels) attempt(failures, () -> logger.log(level, "at {}", level));
    ThreadContext.put("user", "größe \"quoted]\\");
    ThreadContext.put("session", "s1");
    attempt(failures, () -> logger.info("with context"));
    attempt(failures, () -> logger.info(MarkerManager.getMarker("AUDIT"), "ümlaut \uD83D\uDCA5"));
    attempt(failures, () -> logger.error("with a cause", new IllegalStateException("broken")));
    attempt(failures, () -> logger.info(""));
    attempt(failures, () -> logger.info("first\nsecond"));
    StructuredDataMessage transfer = new StructuredDataMessage("transfer@32473", "done", "Audit");
    transfer.put("amount", "200");
    attempt(failures, () -> logger.info(transfer));
    attempt(failures, () -> logger.info(new StringMapMessage().with("city", "Zürich").with("n", "7")));
    ThreadContext.remove("session");
    for (int n = 0; n < 40; n++) {
      int number = n;
      attempt(failures, () -> logger.info("event {}", number));
    }
  }

  private static void attempt(List<String> failures, Runnable call) {
    try {
      call.run();
    } catch (RuntimeException error) {
      failures.add(Peer.chain(error));
    }
  }
}
