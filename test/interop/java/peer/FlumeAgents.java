import java.io.File;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flume.node.Application;
import org.apache.flume.node.PropertiesFileConfigurationProvider;

/** Flume agents named a1, each of a file of its own, all in this process. */
final class FlumeAgents {
  private final Map<String, Application> running = new ConcurrentHashMap<>();

  /** Starts one. It listens some moments later. */
  boolean start(String file) {
    Application agent = new Application();
    agent.handleConfigurationEvent(
        new PropertiesFileConfigurationProvider("a1", new File(file)).getConfiguration());
    running.put(file, agent);
    return true;
  }

  /** Begins to stop one, which takes Flume some seconds. */
  boolean stop(String file) {
    Application agent = running.remove(file);
    new Thread(agent::stop, "stop").start();
    return true;
  }
}
