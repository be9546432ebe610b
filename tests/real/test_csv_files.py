import os

import numpy as np
import pytest

from common.errors import RequestError
from real.tables import read_csv, read_unlabelled_csv

HEADER = "label,a,b,c,d"


def write(folder, content):
    path = folder / "train.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEADER}\n1,2,3,4,5,6\n", r"should be a CSV .* Line 2 has 6 values for 5 columns"),
        (f"{HEADER}\n1,2,3,4,5\n1,2,3,4,5,6\n", "Line 3 has 6 values for 5 columns"),
        (f"{HEADER}\n1,2,3,4,5,\n1,2,3,4,5\n", r"Got nothing \(the line is too short\) in line 3, column d"),
        (f"{HEADER}\n1,2,3,4,5,\n1,2,3,4,5,6\n", "Line 3 has 6 values for 5 columns"),
        (f"{HEADER}\n\n1,2,3,4\n", r"Got nothing \(the line is too short\) in line 3, column d"),
        (f"{HEADER}\n1,2,,4,5\n", "Got nothing in line 2, column b"),
        (f"{HEADER}\n1,2,3,4,NA\n", "Got 'NA' in line 2, column d"),
        (f"{HEADER}\n1,2,True,4,5\n", "Got True in line 2, column b"),
        (
            f"{HEADER}\n1,2,3,4,5\n1,2,3,4,5\nx,2,3,4,5\n",
            "labels should be texts, or .* Got 'x' in line 4, column label",
        ),
        (f"{HEADER}\n1.5,2,3,4,5\n", "labels should be texts, or integers .* Got '1.5' in line 2, column label"),
        (f"{HEADER}\n,2,3,4,5\n", "Got nothing in line 2, column label"),
        (f"{HEADER}\ncat,2,3,4,5\nNA,2,3,4,5\n", "Got 'NA' in line 3, column label"),
        (f"{HEADER}\n1,2,3,4,1e300\n", r"Got 1e\+300 in line 2, column d"),
        (f"{HEADER}\n1,2,3,4,inf\n", "Got inf in line 2, column d"),
        (f"{HEADER}\n1,2,3,4,\u0665\n", "Got '\u0665' in line 2, column d"),
        (f"{HEADER}\n9223372036854775808,2,3,4,5\n", "64 bits. Got '9223372036854775808' in line 2, column label"),
        (f"{HEADER}\n9007199254740993.0,2,3,4,5\n", "Got '9007199254740993.0' in line 2, column label"),
        (f"{HEADER}\n{'9' * 5000},2,3,4,5\n", "64 bits. Got .{,62} in line 2, column label"),
        (f"{HEADER}\n1,2,3,4,{'x' * 5000}\n", "Got .{,60} in line 2, column d"),
        (f'{HEADER}\n1,2,3,4,"5\n1,2,3,4,5\n', "Line 2 should have quotes in pairs"),
        (f'{HEADER}\n1,2,3,4,"5"5\n', "Line 2 should have quotes in pairs"),
        (f'{HEADER}\n"1,2",3,4,5\n', "Line 2 has a value with a comma"),
        (f'"{HEADER}\n1,2,3,4,5\n', "Line 1 should have quotes in pairs"),
        (f"{HEADER}\n1,2,3,4,\0\n", "Line 2 holds a zero byte"),
        (f"{HEADER}\n1,2,3,4,5\n".encode("utf-16"), "should be a CSV .* can't decode byte"),
        (f"{HEADER}\n1,2,3,4,\xe9\n".encode("latin-1"), "should be a CSV .* can't decode byte"),
        ("", "should be a CSV .* The file is empty"),
        ("\n\n", "should be a CSV .* The file is empty"),
        (f"{HEADER}\n", "should have at least one image. Got the header alone"),
        ("label,label,a,b,c,d\n1,1,2,3,4,5\n", "should name each column once. Got 'label' more than once"),
        ("5,0,x,0,0\n", "should name each column once. Got '0' more than once"),  # no header, and damaged
        (f"{HEADER},synthetic\n1,2,3,4,5,1\n1,2,3,4,5,2\n", r"synthetic should be in 0\.\.1\. Got 2 in line 3 instead"),
    ],
)
def test_damaged_csv_is_one_line_that_names_the_place(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(RequestError, match=rf"train\.csv.*{message}"):
        read_csv(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,c,d\n1,2,3,4\n1,2,3,4,5\n", "Line 3 has 5 values for 4 columns"),
        ("a,b,c,d\n1,2,3\n", "the line is too short"),
        ("a,b,c,d\n1,2,3,1e300\n", "Got 1e"),
        ("a,b,c,d\n1,2,3,\0\n", "zero byte"),
        ("a,b,c,d\n", "should have at least one image"),
        ("a,b,c,c\n1,2,3,4\n", "each column once"),
        ("label,b,c,d\n1,2,3,4\n", "should have no column 'label'"),
        ("a,b,c,d\n1,2,3,256\n", r"pixels should be in 0\.\.255\. Got 256 in line 2, pixel 3"),
    ],
)
def test_unlabelled_csv_has_the_same_checks(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(RequestError, match=message):
        read_unlabelled_csv(path, None)


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEADER}\r\n7,1,2,3,4\r\n",
        '"label","a","b","c","d"\n"7","1","2","3","4"\n',  # as R writes it
        f"{HEADER}\n\n7,1.0,2e0, 3,+4\n\n",
        f"{HEADER}\r7,1,2,3,4",
    ],
)
def test_csv_of_other_writers_is_read(tmp_path, content):
    source = read_csv(write(tmp_path, content))
    assert source.labels.tolist() == [7]
    assert source.images.ravel().tolist() == [1, 2, 3, 4]
    assert source.images.dtype == np.uint8


def test_labels_keep_all_64_bits(tmp_path):
    labels = [-(2**63), 2**63 - 1, 2**53 + 1]
    path = write(tmp_path, f"{HEADER}\n" + "".join(f"{label},1,2,3,4\n" for label in labels))
    assert read_csv(path).labels.tolist() == labels


def test_lines_have_their_numbers_in_every_chunk(tmp_path):
    path = write(tmp_path, f"{HEADER}\n" + "1,2,3,4,5\n" * 5001 + "1,2,3,4,x\n")
    with pytest.raises(RequestError, match="Got 'x' in line 5003, column d"):
        read_csv(path)
    assert len(read_csv(path, rows=5001).labels) == 5001


@pytest.mark.parametrize("read", [read_csv, lambda path: read_unlabelled_csv(path, None)])
def test_what_is_no_regular_file_is_never_opened(tmp_path, read):
    os.mkfifo(tmp_path / "a.csv")
    for name, got in (("a.csv", "a pipe, socket or device"), ("", "a folder"), ("nowhere.csv", "none")):
        with pytest.raises(RequestError, match=f"{name}: should be a regular file. Got {got} instead"):
            read(tmp_path / name)
