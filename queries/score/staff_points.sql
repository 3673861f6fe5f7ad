-- grain: one row per grid member on duty at the month's end and dimension
-- rule: four dimensions of 25 points, each a ratio; fewer checked than
--   min_cases, or none: no_sample, which is not scored
-- build: month
with member as (
    select distinct assignment.staff_id
    from seed.assignment as assignment
    where assignment.role = '网格员'
        and assignment.valid_from < $month + interval 1 month
        and (
            assignment.valid_to is null
            or assignment.valid_to >= $month + interval 1 month - interval 1 day
        )
),

rule as (
    select rubric.*
    from seed.rubric as rubric
    where rubric.is_staff
        and rubric.valid_from <= $month
        and (rubric.valid_to is null or rubric.valid_to >= $month)
),

own as (
    select
        value.staff_id,
        value.indicator,
        sum(value.numerator)::hugeint as numerator,
        sum(value.denominator)::hugeint as denominator
    from indicator.staff_value as value
    where value.month = $month
    group by value.staff_id, value.indicator
)

select
    $month as month,
    member.staff_id,
    rule.indicator,
    own.numerator::bigint as numerator,
    own.denominator::bigint as denominator,
    case
        when own.denominator >= greatest(coalesce(rule.min_cases, 1), 1)
            then least(
                (2 * rule.points * own.numerator + own.denominator)
                // (2 * own.denominator), rule.points
            )
    end::bigint as points,
    rule.points as full_points,
    case
        when own.denominator >= greatest(coalesce(rule.min_cases, 1), 1)
            then 'measured'
        else 'no_sample'
    end as state
from member
cross join rule
left join own
    on member.staff_id = own.staff_id
    and rule.indicator = own.indicator
