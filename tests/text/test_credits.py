"""Photo credits and by-lines."""

from __future__ import annotations

import unicodedata

import pytest

from pipeline.text.credits import is_credit


@pytest.mark.parametrize(
    "text",
    [
        "Hai bộ trưởng tại lễ đón - Ảnh: LÊ THỬ.",
        "(Ảnh tư liệu: Lê Thử)",
        "Tin, ảnh: Lê Thử",
        "... cùng dự.\nLê Thử\n",
        "... cùng dự.\n(Lê Thử)",
        "Video : Mai An - Lê Thử",
        "Lễ đón sáng nay; ảnh: Lê Thử",
        unicodedata.normalize("NFD", "Lễ đón - Ảnh: ") + "Lê Thử",
    ],
)
def test_a_name_that_signs(text: str) -> None:
    start = text.lower().index("lê thử")
    assert is_credit(text, start, start + 6)


@pytest.mark.parametrize(
    "text",
    [
        "Đại tướng Lê Thử tiếp ông Mẫu.",
        "Tham dự có: Lê Thử, Mai An.",
        "Ảnh: lễ đón. Đại tướng Lê Thử nói.",
        "Theo ông Lê Thử: không có tin mới.",
        "Ảnh:\nĐại tướng Lê Thử phát biểu",
        "Tư lệnh chiến dịch: Lê Thử",
        "Theo tin từ Bộ Quốc phòng: Lê Thử đã đến",
        "Người cung cấp thông tin: Lê Thử",
    ],
)
def test_a_name_in_the_text(text: str) -> None:
    start = text.index("Lê Thử")
    assert not is_credit(text, start, start + 6)
