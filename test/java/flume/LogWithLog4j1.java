import org.apache.log4j.Logger;
import org.apache.log4j.PatternLayout;
import org.apache.flume.clients.log4jappender.Log4jAppender;

/** Logs COUNT numbered warnings through Flume's Log4j 1 appender: LogWithLog4j1 PORT COUNT. */
public class LogWithLog4j1 {
  public static void main(String[] args) {
    Log4jAppender appender = new Log4jAppender();
    appender.setHostname("127.0.0.1");
    appender.setPort(Integer.parseInt(args[0]));
    appender.setLayout(new PatternLayout("%m"));
    appender.activateOptions();
    Logger logger = Logger.getLogger("db.pool");
    logger.addAppender(appender);
    int count = Integer.parseInt(args[1]);
    for (int n = 0; n < count; n++) logger.warn("log4j-" + n);
    appender.close();
    System.out.println("sent " + count);
  }
}
