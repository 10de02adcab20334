"""What of the course fits into so many minutes, and in which order: the agendas of a workshop."""

from dataclasses import dataclass

from publish.lessons import Lesson, link

BEGINNING = 9 * 60  # nine o'clock, in minutes
WELCOME = END = 5
BREAK = 10
UNBROKEN = 90  # minutes after which people need a break
# What the instructor does.
HOST = {
    "Welcome": (
        "If there are lines on the wall: all learners choose **File > Open from Path…**, type `.env`, write the lines in the "
        "place of the old ones, without `# ` and with their own name, and save the file. Then they restart the kernel, and run "
        "the first two code cells of the first notebook. Count the rows of the board: one for each learner. Say: “A blue note on "
        "the lid asks for help, a yellow note says: I'm done.”"
    ),
    "Break": "Look at the board: find the learners who need help.",
    "Exercises": "Two learners share a screen. Look at the board, and walk to who is stuck.",
    "Free minutes": "These minutes are what you may be late. Answer what learners ask. If nobody asks, go on in the course.",
    "End": "Give out the survey. All learners revoke their tokens. If they used your mock server, they [change `.env` for home](check-lists.md#after-it).",
}


@dataclass(frozen=True)
class Block:
    """A piece of an agenda: a lesson, or what stands between lessons."""

    name: str
    minutes: int
    lesson: Lesson | None = None


def agenda(course, minutes):
    """Fill the minutes: by priority, all lessons and exercises that still fit; then in the order of the course.

    A tenth of the minutes stays free. Exercises come only after their lesson.
    """
    chosen = []
    for one in sorted(course, key=lambda one: one.priority):
        files = {other.file for other in chosen}
        if one.is_exercises and one.lesson_file not in files and any(other.file == one.lesson_file for other in course):
            continue
        attempt = [other for other in course if other in chosen or other is one]
        if length(opening(attempt)) + slack(minutes) + END <= minutes:
            chosen = attempt
    blocks = opening(chosen)
    return [*blocks, Block("Free minutes", minutes - length(blocks) - END), Block("End", END)]


def slack(minutes):
    """Return how many of the minutes are left free: nothing in a room goes as planned."""
    return -(-minutes // 10)


def opening(lessons):
    """Return the welcome and the lessons, with a break before each that would make it too long without one."""
    blocks, unbroken = [Block("Welcome", WELCOME)], WELCOME
    for lesson in lessons:
        if unbroken + lesson.minutes > UNBROKEN:
            blocks.append(Block("Break", BREAK))
            unbroken = 0
        blocks.append(Block(lesson.title, lesson.minutes, lesson))
        unbroken += lesson.minutes
    return blocks


def length(blocks):
    """Return the minutes of all blocks together."""
    return sum(block.minutes for block in blocks)


def agenda_table(blocks):
    """Return an agenda as a run sheet: clock time, minutes, what it is, what the instructor does."""
    rows = ["| Time | Minutes | What | You, the instructor |", "| --- | --- | --- | --- |"]
    now, free = BEGINNING, slack(length(blocks))
    for number, block in enumerate(blocks):
        if not block.lesson:
            what, do = block.name, HOST[block.name]
        elif block.lesson.is_exercises:
            what = link(block.name, block.lesson)
            do = f"{HOST['Exercises']} If it is later than {clock(now + free)}, skip to *{blocks[number + 1].name}*."
        else:
            what = link(block.name, block.lesson)
            do = f"Say: “You'll {block.lesson.goal}” [More to say](instructor-guide.md#{block.lesson.slug})"
        rows.append(f"| {clock(now)} | {block.minutes} | {what} | {do} |")
        now += block.minutes
    return "\n".join([*rows, f"| {clock(now)} | {length(blocks)} together | Over | |"])


def clock(minutes):
    """Return a time of day."""
    return f"{minutes // 60}:{minutes % 60:02}"
