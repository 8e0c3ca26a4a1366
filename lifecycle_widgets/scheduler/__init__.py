"""What Ollama's scheduler will do, without Ollama: for tests and for what-if questions."""

from lifecycle_widgets.scheduler.scheduler import Scheduler as Scheduler
from lifecycle_widgets.scheduler.values import Call as Call
from lifecycle_widgets.scheduler.values import Departure as Departure
from lifecycle_widgets.scheduler.values import InMemory as InMemory
