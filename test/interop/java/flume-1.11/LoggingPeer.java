/** A peer that also logs through Flume's appenders for Log4j 1 and through Log4j 2's for Flume, and knows strangers. */
public final class LoggingPeer extends Peer {
  private LoggingPeer() {
    commands.put("log4j1", Log4j1Program::run);
    commands.put("log4j2", Log4j2Program::run);
    commands.put("stranger", Stranger::run);
  }

  public static void main(String[] args) throws Exception {
    new LoggingPeer().serve();
  }
}
