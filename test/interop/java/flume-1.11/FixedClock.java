import org.apache.logging.log4j.core.util.Clock;

/** The clock of Log4j 2 stands still, so that a program logs the same twice. */
public final class FixedClock implements Clock {
  static final long MILLIS = 1_700_000_000_123L;

  @Override
  public long currentTimeMillis() {
    return MILLIS;
  }
}
