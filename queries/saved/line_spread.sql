-- title: 各条线本月最高分、最低分与差距
-- title-hant: 各條線本月最高分、最低分與差距
-- title-en: Best, worst and spread of every line this month
select
    line_unit.line_name,
    max_by(line_unit.name, line_unit.score) as best_name,
    max(line_unit.score) as best_score,
    min_by(line_unit.name, line_unit.score) as worst_name,
    min(line_unit.score) as worst_score,
    max(line_unit.score) - min(line_unit.score) as spread
from bulletin.line_unit as line_unit
where line_unit.month = $month
    and line_unit.score is not null
group by line_unit.line_name, line_unit.line_position
order by line_unit.line_position
