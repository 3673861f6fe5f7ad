-- grain: one row per setting that the month was computed with
-- rule: the rubric version and its fields, the month's bounds, the tree's size;
--   values as text, words are the locale's
-- build: month
select
    $month as month,
    setting.position,
    setting.item,
    setting.value
from core.month_info as info
cross join (
    select
        count(*) filter (unit.level = 2) as communities,
        count(*) filter (unit.level = 3) as areas,
        count(*) filter (unit.level = 4) as buildings
    from core.month_unit as unit
    where unit.month = $month
) as tree
cross join lateral (
    values
        (1, 'rubric_version', info.rubric_version),
        (2, 'rounding', info.rounding),
        (3, 'min_cases', info.min_cases::text),
        (4, 'pool_cases', info.pool_cases::text),
        (5, 'min_coverage', (info.min_coverage * 0.0001)::decimal(7, 2)::text),
        (6, 'repair_satisfaction', info.repair_satisfaction),
        (7, 'month_start', info.month_start::date::text),
        (8, 'month_end', (info.month_end - interval 1 day)::date::text),
        (9, 'cutoff', (info.cutoff_at - interval 1 day)::date::text),
        (10, 'working_days', info.working_days::text),
        (11, 'communities', tree.communities::text),
        (12, 'areas', tree.areas::text),
        (13, 'buildings', tree.buildings::text)
) as setting(position, item, value)
where info.month = $month
order by setting.position
