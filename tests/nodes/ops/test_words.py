from nodes.ops.words import words_of


def test_words_are_written_where_they_are_sure() -> None:
    nan = float("nan")
    told = {"child/adult": {1: 0.2, 2: 0.5, 3: nan, 4: 0.6}, "crutches": {1: 0.1, 3: 0.9}}

    assert words_of(told, {1: 2.04, 5: 10.0}) == {1: ["adult", "2.0 m"], 4: ["child"], 3: ["crutches"], 5: ["10.0 m"]}


def test_nothing_known_is_nothing_written() -> None:
    assert words_of({"child/adult": {}}, {}) == {}
