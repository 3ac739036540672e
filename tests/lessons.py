"""Takes in lessons in the service's place, for the tests of who gives them."""

from rtgenre.learning.genres import LearningError, checked_genre
from rtgenre.messages.taught import (
    TeachError,
    taken_in_document,
    taught_document,
    taught_list_document,
    taught_stretch_item,
)
from tests.documents import LABELS, NOW


class Lessons:
    """Takes in lessons as the service does, but learns nothing."""

    def __init__(self):
        self.genres = {}
        self.lessons = []
        self.problem = None
        self.parts = []

    async def teach(self, node, genre):
        if self.problem is not None:
            raise TeachError(self.problem, 409)
        _check(genre)
        number = 100 + len(self.lessons)
        self.lessons.append((node, genre))
        self.genres[number] = genre
        return taught_document(
            number=number,
            node=node,
            genre=genre,
            span=(NOW, NOW + 24),
            is_new=genre not in LABELS,
            n_forgotten=0,
        )

    async def forget(self, numbers):
        gone = list(self.genres) if numbers is None else numbers
        return sum(self.genres.pop(number, None) is not None for number in gone)

    async def rename(self, genre, new_genre):
        _check(new_genre)
        found = [number for number, each in self.genres.items() if each == genre]
        if not found:
            raise TeachError(f"nothing was taught by the name {genre!r}", 404)
        self.genres |= dict.fromkeys(found, new_genre)
        return len(found)

    async def written(self, numbers):
        chosen = self.genres if numbers is None else [n for n in self.genres if n in numbers]
        return "".join(f'{{"node": "den", "id": {number}}}\n' for number in chosen)

    async def take_in(self, text):
        if "virus" in text:
            raise TeachError("line 1 cannot be taken in: this is no file of what was taught")
        if not text.strip():
            raise TeachError("this file holds nothing that was taught")
        self.parts.append(text)
        n = text.count('"node"')
        return taken_in_document(n_new=n, n_known=0, n_forgotten=0)

    async def list(self):
        items = [
            taught_stretch_item(
                number=number,
                node="den",
                span=(NOW, NOW + 24),
                genre=genre,
                network="crnn 4",
                used=True,
            )
            for number, genre in self.genres.items()
        ]
        return taught_list_document(items, limit=5000, model="crnn 4", problem=None)


def _check(genre):
    try:
        checked_genre(genre)
    except LearningError as error:
        raise TeachError(str(error)) from error
